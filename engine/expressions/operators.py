"""The closures of FEEL's operators: what the compiler puts together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.expressions.arithmetic import Operation, add, divide, multiply, negative, power, subtract
from engine.expressions.builtins.registry import BUILTINS, function_of
from engine.expressions.comparison import SIMPLE, contains, equal, is_in, negate, order, same
from engine.expressions.properties import property_of
from engine.expressions.scope import Range, Scope
from engine.expressions.types import Type, conforms
from engine.values import Value

Code = Callable[[Scope], Value]
Test = Callable[[Value, Scope], bool | None]
ARITHMETIC: dict[str, Operation] = {"+": add, "-": subtract, "*": multiply, "/": divide, "**": power}
PLACES: dict[str, Callable[[int], bool]] = {
    "<": lambda place: place < 0,
    "<=": lambda place: place <= 0,
    ">": lambda place: place > 0,
    ">=": lambda place: place >= 0,
}
_NATIVE = frozenset({int, float})


def constant(value: Value) -> Code:
    """A literal."""
    return lambda _scope: value


def nothing(reason: str) -> Code:
    """Null, with the reason."""
    return lambda scope: scope.run.null(reason)


def variable(name: str) -> Code:
    """The value of a name in the nearest scope that has it; null with a warning if none has."""

    def look(scope: Scope) -> Value:
        inner: Scope | None = scope
        while inner is not None:
            names = inner.names
            if name in names:
                value = names[name]
                return Decimal(repr(value)) if type(value) in _NATIVE else value
            inner = inner.parent
        if name in BUILTINS:
            return function_of(name)
        return scope.run.null(f"there is no {name!r}")

    return look


def path(source: Code, name: str) -> Code:
    """`source.name`"""

    def follow(scope: Scope) -> Value:
        value = source(scope)
        if type(value) is dict and name in value:
            found = value[name]
            return Decimal(repr(found)) if type(found) in _NATIVE else found
        return property_of(value, name, scope.run)

    return follow


def entry(variable_name: str, name: str) -> Code:
    """`variable.name`, the commonest path of all, in one step."""

    def follow(scope: Scope) -> Value:
        inner: Scope | None = scope
        while inner is not None:
            names = inner.names
            if variable_name in names:
                value = names[variable_name]
                if type(value) is dict and name in value:
                    found = value[name]
                    return Decimal(repr(found)) if type(found) in _NATIVE else found
                return property_of(value, name, scope.run)
            inner = inner.parent
        return property_of(look(scope), name, scope.run)

    look = variable(variable_name)
    return follow


def list_of(codes: Sequence[Code]) -> Code:
    """`[a, b]`"""
    return lambda scope: [code(scope) for code in codes]


def range_of(start: Code, end: Code, *, is_from: bool, is_to: bool) -> Code:
    """`[start..end]` and its open forms."""

    def span(scope: Scope) -> Value:
        low, high = start(scope), end(scope)
        if low is not None and high is not None and order(low, high, scope.run) is None:
            return scope.run.null("the ends of a range must be alike")
        return Range(low, high, is_from, is_to)

    return span


def half_range(sign: str, end: Code) -> Code:
    """`(< 5)`: everything on one side of a value."""

    def span(scope: Scope) -> Value:
        value, has_end = end(scope), sign in ("<=", ">=", "=")
        if sign[0] == "<":
            return Range(None, value, False, has_end, sign)
        if sign[0] == ">":
            return Range(value, None, has_end, False, sign)
        return Range(value, value, has_end, has_end, sign)

    return span


def context_of(entries: Sequence[tuple[str, Code]]) -> Code:
    """`{a: 1, b: a + 1}`: later entries see earlier ones."""

    def build(scope: Scope) -> Value:
        values: dict[str, Value] = {}
        inner = Scope(values, scope, scope.run)
        for key, code in entries:
            if key in values:
                return scope.run.null(f"the entry {key!r} is given twice")
            values[key] = code(inner)
        return values

    return build


def choice(condition: Code, then: Code, otherwise: Code) -> Code:
    """`if … then … else …`: whatever is not true goes to else."""
    return lambda scope: then(scope) if condition(scope) is True else otherwise(scope)


def both(codes: Sequence[Code]) -> Code:
    """`and`: false decides, null leaves it open."""

    def conjunction(scope: Scope) -> Value:
        answer: bool | None = True
        for code in codes:
            truth = code(scope)
            if truth is False:
                return False
            if truth is not True:
                answer = None
        return answer

    return conjunction


def either(codes: Sequence[Code]) -> Code:
    """`or`: true decides, null leaves it open."""

    def disjunction(scope: Scope) -> Value:
        answer: bool | None = False
        for code in codes:
            truth = code(scope)
            if truth is True:
                return True
            if truth is not False:
                answer = None
        return answer

    return disjunction


def equals(left: Code, right: Code) -> Code:
    """`=`"""

    def compare(scope: Scope) -> Value:
        one, other = left(scope), right(scope)
        what = type(one)
        if what is type(other) and what in SIMPLE:
            return one == other
        return equal(one, other, scope.run)

    return compare


def differs(left: Code, right: Code) -> Code:
    """`!=`"""
    same_values = equals(left, right)
    return lambda scope: negate(same_values(scope))


def less(left: Code, right: Code) -> Code:
    """`<`"""

    def compare(scope: Scope) -> Value:
        one, other = left(scope), right(scope)
        if type(one) is Decimal and type(other) is Decimal:
            return one < other
        place = order(one, other, scope.run)
        return None if place is None else place < 0

    return compare


def at_most(left: Code, right: Code) -> Code:
    """`<=`"""

    def compare(scope: Scope) -> Value:
        one, other = left(scope), right(scope)
        if type(one) is Decimal and type(other) is Decimal:
            return one <= other
        place = order(one, other, scope.run)
        return None if place is None else place <= 0

    return compare


def more(left: Code, right: Code) -> Code:
    """`>`"""
    return less(right, left)


def at_least(left: Code, right: Code) -> Code:
    """`>=`"""
    return at_most(right, left)


COMPARISONS: dict[str, Callable[[Code, Code], Code]] = {
    "=": equals,
    "!=": differs,
    "<": less,
    "<=": at_most,
    ">": more,
    ">=": at_least,
}


def between(value: Code, low: Code, high: Code) -> Code:
    """`value between low and high`, both included."""

    def compare(scope: Scope) -> Value:
        span = Range(low(scope), high(scope))
        return contains(span, value(scope), scope.run)

    return compare


def arithmetic(first: Code, rest: Sequence[tuple[Operation, Code]]) -> Code:
    """`a + b - c`, from the left."""
    if len(rest) == 1:
        ((operation, second),) = rest
        return lambda scope: operation(first(scope), second(scope), scope.run)

    def compute(scope: Scope) -> Value:
        value = first(scope)
        for operation, code in rest:
            value = operation(value, code(scope), scope.run)
        return value

    return compute


def minus(code: Code) -> Code:
    """The minus in front."""
    return lambda scope: negative(code(scope), scope.run)


def instance_of(code: Code, wanted: Type | str | None) -> Code:
    """`value instance of type`; a name that is not FEEL's is looked up in the model."""

    def check(scope: Scope) -> Value:
        found = scope.run.types.get(wanted) if isinstance(wanted, str) else wanted
        if not isinstance(found, Type):
            return scope.run.null(f"there is no type {wanted!r}")
        return conforms(code(scope), found, scope.run)

    return check


def inside(value: Code, test: Test) -> Code:
    """`value in test`"""
    return lambda scope: test(value(scope), scope)


def any_test(tests: Sequence[Test]) -> Test:
    """Whether one of several tests is met."""

    def check(value: Value, scope: Scope) -> bool | None:
        return any(test(value, scope) is True for test in tests)

    return check


def comparison_test(sign: str, end: Code) -> Test:
    """`< 5` as a test of a value."""

    def check(value: Value, scope: Scope) -> bool | None:
        return half_range_test(sign, value, end(scope), scope)

    return check


def half_range_test(sign: str, value: Value, end: Value, scope: Scope) -> bool | None:
    """Whether `value` compares with `end` as the sign says."""
    if sign in ("=", "!="):
        truth = equal(value, end, scope.run)
        return truth if sign == "=" else negate(truth)
    place = order(value, end, scope.run)
    if place is None:
        return None
    return PLACES[sign](place)


def value_test(code: Code) -> Test:
    """A value after `in`: a range, a list or something equal."""
    return lambda value, scope: is_in(value, code(scope), scope.run)


def truth_test(code: Code) -> Test:
    """A test that speaks of `?` itself: it must be true."""

    def check(_value: Value, scope: Scope) -> bool | None:
        truth = code(scope)
        return truth if isinstance(truth, bool) else None

    return check


def cell_value_test(code: Code) -> Test:
    """A value in a table's cell; true stands for itself unless the input is a boolean or null."""

    def check(value: Value, scope: Scope) -> bool | None:
        wanted = code(scope)
        if type(wanted) is type(value) and type(wanted) in SIMPLE:
            return bool(value == wanted)
        if isinstance(wanted, bool) and value is not None and not isinstance(value, bool):
            return wanted
        if isinstance(wanted, list | Range):
            return is_in(value, wanted, scope.run)
        return same(value, wanted, scope.run)

    return check


def cell(tests: Sequence[Test]) -> Code:
    """A cell: one of its tests is met by `?`."""

    def check(scope: Scope) -> Value:
        value = scope.names["?"]
        answer: bool | None = False
        for test in tests:
            truth = test(value, scope)
            if truth is True:
                return True
            if truth is None:
                answer = None
        return answer

    return check


def negated(code: Code) -> Code:
    """`not(…)` around a cell."""
    return lambda scope: negate(code(scope))
