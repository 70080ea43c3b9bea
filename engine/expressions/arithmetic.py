"""Sums, products and powers of numbers, texts, dates and durations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, Overflow

from engine.expressions.comparison import kind
from engine.expressions.scope import Run
from engine.expressions.wide import (
    WideDate,
    WideMoment,
    WideSpan,
    WideTime,
    distance,
    make_span,
    nanoseconds_of,
    plus,
)
from engine.temporal import MAX_MONTHS, YearsMonths
from engine.values import CONTEXT, Value

Operation = Callable[[Value, Value, Run], Value]
MICROSECOND = 1000
Day = date | WideDate | WideMoment
Clock = time | WideTime
Span = timedelta | WideSpan | YearsMonths


def add(left: Value, right: Value, run: Run) -> Value:
    """`+`"""
    if type(left) is Decimal and type(right) is Decimal:
        return _number(CONTEXT.add, left, right, run)
    if isinstance(left, str) and isinstance(right, str):
        run.budget.check_text(len(left) + len(right))
        return left + right
    if isinstance(right, Span) and isinstance(left, Day | Clock | Span):
        return _safely(_plus, left, right, run)
    if isinstance(left, Span) and isinstance(right, Day | Clock):
        return _safely(_plus, right, left, run)
    return _general("+", CONTEXT.add, left, right, run)


def subtract(left: Value, right: Value, run: Run) -> Value:
    """`-`"""
    if type(left) is Decimal and type(right) is Decimal:
        return _number(CONTEXT.subtract, left, right, run)
    if isinstance(right, Span) and isinstance(left, Day | Clock | Span):
        return _safely(_plus, left, negative(right, run), run)
    if (isinstance(left, Day) and isinstance(right, Day)) or (
        isinstance(left, Clock) and isinstance(right, Clock)
    ):
        return _distance(left, right, run)
    return _general("-", CONTEXT.subtract, left, right, run)


def multiply(left: Value, right: Value, run: Run) -> Value:
    """`*`"""
    if type(left) is Decimal and type(right) is Decimal:
        return _number(CONTEXT.multiply, left, right, run)
    if isinstance(left, Span) and isinstance(right, Decimal):
        return _safely(_scaled, left, right, run)
    if isinstance(left, Decimal) and isinstance(right, Span):
        return _safely(_scaled, right, left, run)
    return _general("*", CONTEXT.multiply, left, right, run)


def divide(left: Value, right: Value, run: Run) -> Value:
    """`/`; by zero it is null."""
    if type(left) is Decimal and type(right) is Decimal:
        return _number(CONTEXT.divide, left, right, run)
    match left, right:
        case ((timedelta() | WideSpan()), (timedelta() | WideSpan())) if right:
            return CONTEXT.divide(_amount(left), _amount(right))
        case YearsMonths(), YearsMonths() if right.months:
            return CONTEXT.divide(_amount(left), _amount(right))
        case ((timedelta() | WideSpan() | YearsMonths()), Decimal()) if right:
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
        case timedelta() | WideSpan():
            return make_span(-nanoseconds_of(value))
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
    except (ArithmeticError, ValueError) as error:
        return run.null(f"out of range: {error}")
    except TypeError:
        return run.null(f"a {kind(left)} and a {kind(right)} do not add up")


def _plus(value: Value, span: Span) -> Value:
    if not isinstance(value, YearsMonths):
        return plus(value, span)
    if not isinstance(span, YearsMonths):
        raise TypeError
    return _months(Decimal(value.months + span.months))


def _distance(left: Value, right: Value, run: Run) -> Value:
    try:
        found = distance(left, right)
    except OverflowError as error:
        return run.null(f"out of range: {error}")
    return run.null("a zoned and a local time have no distance") if found is None else found


def _scaled(span: Span, factor: Decimal) -> Value:
    return _of_amount(span, CONTEXT.multiply(_amount(span), factor))


def _divided(span: Span, divisor: Decimal) -> Value:
    return _of_amount(span, CONTEXT.divide(_amount(span), divisor))


def _amount(span: Span) -> Decimal:
    return Decimal(span.months if isinstance(span, YearsMonths) else nanoseconds_of(span))


def _of_amount(span: Span, amount: Decimal) -> Value:
    """Months are cut to whole ones; days and times are rounded to a microsecond unless they were finer."""
    if isinstance(span, YearsMonths):
        return _months(amount)
    unit = 1 if isinstance(span, WideSpan) else MICROSECOND
    return make_span(int(CONTEXT.divide(amount, Decimal(unit)).to_integral_value(ROUND_HALF_EVEN)) * unit)


def _months(amount: Decimal) -> YearsMonths:
    if abs(amount) > MAX_MONTHS:
        raise OverflowError("too many months")
    return YearsMonths(int(amount))
