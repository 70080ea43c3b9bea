"""Numeric functions."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)

from engine.expressions.builtins.registry import builtin, whole
from engine.expressions.scope import NullResult, Run
from engine.expressions.wide import AnySpan, make_span, nanoseconds_of
from engine.temporal import YearsMonths
from engine.values import CONTEXT, DIGITS, Value

MIN_SCALE, MAX_SCALE = -6111, 6176


def _rounded(n: Decimal, scale: Decimal, rounding: str) -> Decimal:
    places = int(scale.to_integral_value(ROUND_DOWN))
    if not MIN_SCALE <= places <= MAX_SCALE:
        raise NullResult(f"the scale must lie between {MIN_SCALE} and {MAX_SCALE}")
    exponent = n.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return n
    if n.adjusted() + places + 1 > DIGITS:
        return n
    found = n.quantize(Decimal((0, (1,), -places)), rounding, CONTEXT)
    return CONTEXT.plus(found) or Decimal(0)


def _declare_rounding(name: str, rounding: str, signature: str) -> None:
    @builtin(name, signature)
    def rounded(_run: Run, n: Decimal, scale: Decimal = Decimal(0)) -> Value:
        return _rounded(n, scale, rounding)


for _name, _rounding in {
    "round up": ROUND_UP,
    "round down": ROUND_DOWN,
    "round half up": ROUND_HALF_UP,
    "round half down": ROUND_HALF_DOWN,
    "decimal": ROUND_HALF_EVEN,
}.items():
    _declare_rounding(_name, _rounding, "n: number, scale: number")
for _name, _rounding in {"floor": ROUND_FLOOR, "ceiling": ROUND_CEILING}.items():
    _declare_rounding(_name, _rounding, "n: number, scale?: number")


@builtin("abs", "n: number|days and time duration|years and months duration")
def _absolute(_run: Run, n: Decimal | AnySpan | YearsMonths) -> Value:
    if isinstance(n, Decimal):
        return abs(n)
    return YearsMonths(abs(n.months)) if isinstance(n, YearsMonths) else make_span(abs(nanoseconds_of(n)))


@builtin("modulo", "dividend: number, divisor: number")
def _modulo(_run: Run, dividend: Decimal, divisor: Decimal) -> Value:
    if not divisor:
        raise NullResult("division by zero")
    rest = CONTEXT.remainder(dividend, divisor)
    return CONTEXT.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest or Decimal(0)


@builtin("sqrt", "number: number")
def _square_root(_run: Run, number: Decimal) -> Value:
    return CONTEXT.sqrt(number)


@builtin("log", "number: number")
def _logarithm(_run: Run, number: Decimal) -> Value:
    if number <= 0:
        raise NullResult("only a positive number has a logarithm")
    return CONTEXT.ln(number)


@builtin("exp", "number: number")
def _exponential(_run: Run, number: Decimal) -> Value:
    return CONTEXT.exp(number)


@builtin("odd", "number: number")
def _is_odd(_run: Run, number: Decimal) -> Value:
    return whole(number, "the number") % 2 == 1


@builtin("even", "number: number")
def _is_even(_run: Run, number: Decimal) -> Value:
    return whole(number, "the number") % 2 == 0
