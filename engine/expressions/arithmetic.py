"""Sums, products and powers of numbers, texts, dates and durations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, Overflow

from engine.expressions.comparison import instant, kind
from engine.expressions.scope import Run
from engine.temporal import MAX_MONTHS, Unrepresentable, YearsMonths, add_months
from engine.values import CONTEXT, Value

Operation = Callable[[Value, Value, Run], Value]
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)


def add(left: Value, right: Value, run: Run) -> Value:
    """`+`"""
    if type(left) is Decimal and type(right) is Decimal:
        return _number(CONTEXT.add, left, right, run)
    match left, right:
        case str(), str():
            run.budget.check_text(len(left) + len(right))
            return left + right
        case ((date() | time() | YearsMonths() | timedelta()), (timedelta() | YearsMonths())):
            return _safely(_plus, left, right, run)
        case ((timedelta() | YearsMonths()), (date() | time())):
            return _safely(_plus, right, left, run)
    return _general("+", CONTEXT.add, left, right, run)


def subtract(left: Value, right: Value, run: Run) -> Value:
    """`-`"""
    if type(left) is Decimal and type(right) is Decimal:
        return _number(CONTEXT.subtract, left, right, run)
    match left, right:
        case ((date() | time() | YearsMonths() | timedelta()), (timedelta() | YearsMonths())):
            return _safely(_plus, left, negative(right, run), run)
        case date(), date():
            return _between_moments(left, right, run)
        case time(), time():
            return _between_times(left, right, run)
    return _general("-", CONTEXT.subtract, left, right, run)


def multiply(left: Value, right: Value, run: Run) -> Value:
    """`*`"""
    if type(left) is Decimal and type(right) is Decimal:
        return _number(CONTEXT.multiply, left, right, run)
    match left, right:
        case ((timedelta() | YearsMonths()), Decimal()):
            return _safely(_scaled, left, right, run)
        case Decimal(), (timedelta() | YearsMonths()):
            return _safely(_scaled, right, left, run)
    return _general("*", CONTEXT.multiply, left, right, run)


def divide(left: Value, right: Value, run: Run) -> Value:
    """`/`; by zero it is null."""
    if type(left) is Decimal and type(right) is Decimal:
        return _number(CONTEXT.divide, left, right, run)
    match left, right:
        case timedelta(), timedelta() if right:
            return CONTEXT.divide(Decimal(left // MICROSECOND), Decimal(right // MICROSECOND))
        case YearsMonths(), YearsMonths() if right.months:
            return CONTEXT.divide(Decimal(left.months), Decimal(right.months))
        case ((timedelta() | YearsMonths()), Decimal()) if right:
            return _safely(_divided, left, right, run)
    return _general("/", CONTEXT.divide, left, right, run)


def power(left: Value, right: Value, run: Run) -> Value:
    """`**`"""
    return _general("**", CONTEXT.power, left, right, run)


def negative(value: Value, run: Run) -> Value:
    """The minus in front of a number or a duration."""
    match value:
        case Decimal():
            return -value if value else value
        case timedelta():
            return -value
        case YearsMonths():
            return YearsMonths(-value.months)
    return run.null(f"there is no minus {kind(value)}")


def _number(
    operation: Callable[[Decimal, Decimal], Decimal], left: Decimal, right: Decimal, run: Run
) -> Value:
    try:
        return operation(left, right)
    except ZeroDivisionError:
        return run.null("division by zero")
    except Overflow:
        return run.null("the number is too large")
    except InvalidOperation:
        return run.null("the operation has no result")


def _general(
    sign: str, operation: Callable[[Decimal, Decimal], Decimal], left: Value, right: Value, run: Run
) -> Value:
    if kind(left) == kind(right) == "number":
        return _number(operation, _decimal(left), _decimal(right), run)
    return run.null(f"there is no {kind(left)} {sign} {kind(right)}")


def _decimal(value: Value) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _safely(operation: Callable[[Value, Value], Value], left: Value, right: Value, run: Run) -> Value:
    try:
        return operation(left, right)
    except (ArithmeticError, Unrepresentable) as error:
        return run.null(f"out of range: {error}")
    except TypeError:
        return run.null(f"a {kind(left)} and a {kind(right)} do not add up")


def _plus(value: Value, span: timedelta | YearsMonths) -> Value:
    if isinstance(span, YearsMonths):
        return _plus_months(value, span.months)
    match value:
        case datetime():
            return _moment_plus(value, span)
        case date():
            return (datetime.combine(value, time()) + span).date()
        case time():
            return (datetime.combine(date(2000, 1, 2), value) + span % DAY).timetz()
        case timedelta():
            return value + span
    raise TypeError


def _plus_months(value: Value, months: int) -> Value:
    match value:
        case date():
            return add_months(value, months)
        case YearsMonths():
            total = value.months + months
            if abs(total) > MAX_MONTHS:
                raise OverflowError("too many months")
            return YearsMonths(total)
    raise TypeError


def _moment_plus(value: datetime, span: timedelta) -> datetime:
    """Hours are real hours, also across a change of the clock."""
    if value.tzinfo is None:
        return value + span
    return (value.astimezone(UTC) + span).astimezone(value.tzinfo)


def _between_moments(left: date, right: date, run: Run) -> Value:
    one, other = _moment(left), _moment(right)
    if not (isinstance(left, datetime) and isinstance(right, datetime)):
        one, other = one.replace(tzinfo=one.tzinfo or UTC), other.replace(tzinfo=other.tzinfo or UTC)
    if (one.tzinfo is None) != (other.tzinfo is None):
        return run.null("a zoned and a local time have no distance")
    return instant(one) - instant(other)


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _between_times(left: time, right: time, run: Run) -> Value:
    day = date(2000, 1, 2)
    return _between_moments(datetime.combine(day, left), datetime.combine(day, right), run)


def _scaled(span: timedelta | YearsMonths, factor: Decimal) -> Value:
    return _of_amount(span, CONTEXT.multiply(_amount(span), factor))


def _divided(span: timedelta | YearsMonths, divisor: Decimal) -> Value:
    return _of_amount(span, CONTEXT.divide(_amount(span), divisor))


def _amount(span: timedelta | YearsMonths) -> Decimal:
    return Decimal(span.months if isinstance(span, YearsMonths) else span // MICROSECOND)


def _of_amount(span: timedelta | YearsMonths, amount: Decimal) -> Value:
    """Months are cut to whole ones, days and times rounded to a microsecond."""
    if abs(amount) > Decimal(10) ** 24:
        raise OverflowError("too long a duration")
    if isinstance(span, YearsMonths):
        if abs(amount) > MAX_MONTHS:
            raise OverflowError("too many months")
        return YearsMonths(int(amount))
    return timedelta(microseconds=int(amount.to_integral_value(ROUND_HALF_EVEN)))
