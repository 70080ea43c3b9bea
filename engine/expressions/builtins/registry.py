"""How a built-in function is declared, and how a call finds the right one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import DecimalException
from typing import Any

from engine.expressions.comparison import kind
from engine.expressions.regex import BadPattern
from engine.expressions.scope import Function, NullResult, Run
from engine.expressions.wide import midnight
from engine.temporal import Unrepresentable
from engine.values import Value

Body = Callable[..., Value]


@dataclass(frozen=True)
class Parameter:
    """One parameter: `kinds` empty means anything; null is only taken if `is_nullable`."""

    name: str
    kinds: frozenset[str]
    is_nullable: bool
    is_optional: bool
    is_variadic: bool


@dataclass(frozen=True)
class Builtin:
    """One way to call a built-in function."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Body

    required: int
    most: float


BUILTINS: dict[str, tuple[Builtin, ...]] = {}


def builtin(name: str, signature: str = "") -> Callable[[Body], Body]:
    """Declare a function: `builtin("substring", "string: string, start position: number, length?: number")`.

    Kinds are joined by `|`, `any` takes everything; `?` after the name means it may be left out, `?`
    after the kind that it may be null, `*` before the name that any number may follow.
    """
    parameters = tuple(_parameter(part) for part in signature.split(",") if part.strip())
    required = sum(not parameter.is_optional for parameter in parameters)
    most = float("inf") if any(parameter.is_variadic for parameter in parameters) else len(parameters)

    def declare(body: Body) -> Body:
        BUILTINS[name] = (*BUILTINS.get(name, ()), Builtin(name, parameters, body, required, most))
        return body

    return declare


def _parameter(text: str) -> Parameter:
    name, kinds = (part.strip() for part in text.split(":"))
    names = kinds.rstrip("?")
    return Parameter(
        name=name.strip("*?"),
        kinds=frozenset() if names == "any" else frozenset(names.split("|")),
        is_nullable=kinds.endswith("?") or names == "any",
        is_optional=name.endswith("?"),
        is_variadic=name.startswith("*"),
    )


class _Misfit(Exception):
    """These arguments do not belong to this declaration."""


def call_builtin(name: str, arguments: Sequence[Value], run: Run) -> Value:
    """The function's value, or null with a warning if no declaration takes these arguments."""
    run.budget.spend(1)
    reason = f"{name}() takes another number of arguments than {len(arguments)}"
    for candidate in BUILTINS[name]:
        if not candidate.required <= len(arguments) <= candidate.most:
            continue
        try:
            bound = _bind(candidate, arguments)
        except _Misfit as misfit:
            reason = str(misfit)
            continue
        return _run(candidate, bound, run)
    return run.null(reason)


def call_builtin_named(name: str, arguments: Mapping[str, Value], run: Run) -> Value:
    """The same for `f(a: 1, b: 2)`."""
    run.budget.spend(1)
    reason = f"{name}() has no such parameters: {', '.join(arguments)}"
    for candidate in sorted(BUILTINS[name], key=lambda one: not _is_in_order(one, arguments)):
        try:
            bound = _bind_named(candidate, arguments)
        except _Misfit as misfit:
            reason = str(misfit) or reason
            continue
        return _run(candidate, bound, run)
    return run.null(reason)


def _is_in_order(candidate: Builtin, arguments: Mapping[str, Value]) -> bool:
    """Forms may differ in the order of names alone: `before(point, range)`, `before(range, point)`."""
    names = [parameter.name for parameter in candidate.parameters]
    return names[: len(arguments)] == list(arguments)


def function_of(name: str) -> Function:
    """A built-in function as a value that can be passed on, with the parameters of its first form."""
    parameters = tuple(parameter.name for parameter in BUILTINS[name][0].parameters)
    return Function(name, parameters, lambda arguments, run: call_builtin(name, arguments, run))


def _run(candidate: Builtin, bound: list[Any], run: Run) -> Value:
    try:
        return candidate.body(run, *bound)
    except (NullResult, BadPattern) as error:
        return run.null(f"{candidate.name}(): {error}")
    except Unrepresentable:
        raise
    except DecimalException:
        return run.null(f"{candidate.name}(): no number can hold the result")
    except (OverflowError, ValueError) as error:
        return run.null(f"{candidate.name}(): {error or 'no result'}")


def _bind(candidate: Builtin, arguments: Sequence[Value]) -> list[Value]:
    bound: list[Value] = []
    for place, value in enumerate(arguments):
        parameter = candidate.parameters[min(place, len(candidate.parameters) - 1)]
        bound.append(_fitted(candidate.name, parameter, value))
    return bound


def _bind_named(candidate: Builtin, arguments: Mapping[str, Value]) -> list[Value]:
    names = [parameter.name for parameter in candidate.parameters]
    if not set(arguments) <= set(names):
        raise _Misfit
    bound: list[Value] = []
    for parameter in candidate.parameters:
        if parameter.name in arguments:
            value = arguments[parameter.name]
            if parameter.is_variadic and isinstance(value, list):
                bound.extend(_fitted(candidate.name, parameter, item) for item in value)
            else:
                bound.append(_fitted(candidate.name, parameter, value))
        elif not (parameter.is_optional or parameter.is_variadic):
            raise _Misfit(f"{candidate.name}() needs {parameter.name!r}")
        else:
            bound.append(None)
    while bound and bound[-1] is None and candidate.parameters[len(bound) - 1].name not in arguments:
        bound.pop()
    return bound


def _fitted(name: str, parameter: Parameter, value: Value) -> Value:
    """The argument as the parameter wants it: one item out of a list of one, or a list around one item."""
    if not parameter.kinds:
        return value
    if value is None:
        if parameter.is_nullable:
            return None
        raise _Misfit(f"{name}(): {parameter.name} is null")
    what = kind(value)
    if what in parameter.kinds:
        return value
    if "list" in parameter.kinds:
        return [value]
    if what == "list" and len(value) == 1 and value[0] is not None:
        return _fitted(name, parameter, value[0])
    if what == "date" and "date and time" in parameter.kinds:
        return midnight(value)
    raise _Misfit(f"{name}(): {parameter.name} is a {what}")


def whole(value: Any, what: str) -> int:
    """An argument that must be a whole number. Raises NullResult."""
    if value != value.to_integral_value() or abs(value) > 10**12:
        raise NullResult(f"{what} must be a whole number")
    return int(value)
