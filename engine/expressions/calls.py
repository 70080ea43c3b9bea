"""Calling: built-in functions, the host's, and those an expression defines itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.expressions.budget import ExpressionError
from engine.expressions.builtins.registry import BUILTINS, call_builtin, call_builtin_named
from engine.expressions.scope import Function, Run, Scope
from engine.expressions.types import ANY, Type, coerce
from engine.temporal import Unrepresentable
from engine.values import Value

Code = Callable[[Scope], Value]


@dataclass(frozen=True)
class Body:
    """A function's code, and what one call of it costs in steps and in depth."""

    code: Code
    size: int
    depth: int


def call_by_name(name: str, arguments: Sequence[Code]) -> Code:
    """`name(a, b)`: a function among the variables, else a built-in, else the host's."""

    def call(scope: Scope) -> Value:
        values = [argument(scope) for argument in arguments]
        function = _function_named(name, scope)
        if function is not None:
            return invoke(function, values, scope.run)
        if name in BUILTINS:
            return call_builtin(name, values, scope.run)
        return _call_host(name, values, scope.run)

    return call


def call_by_name_with_names(name: str, arguments: Mapping[str, Code]) -> Code:
    """`name(a: 1, b: 2)`."""

    def call(scope: Scope) -> Value:
        values = {key: argument(scope) for key, argument in arguments.items()}
        function = _function_named(name, scope)
        if function is not None:
            return invoke_named(function, values, scope.run)
        if name in BUILTINS:
            return call_builtin_named(name, values, scope.run)
        return scope.run.null(f"{name}() is unknown or takes its arguments in order")

    return call


def call_value(callee: Code, arguments: Sequence[Code]) -> Code:
    """`expression(a, b)`, where the expression gives a function."""

    def call(scope: Scope) -> Value:
        values = [argument(scope) for argument in arguments]
        function = callee(scope)
        if not isinstance(function, Function):
            return scope.run.null("what is called is not a function")
        return invoke(function, values, scope.run)

    return call


def call_value_with_names(callee: Code, arguments: Mapping[str, Code]) -> Code:
    """`expression(a: 1, b: 2)`."""

    def call(scope: Scope) -> Value:
        values = {key: argument(scope) for key, argument in arguments.items()}
        function = callee(scope)
        if not isinstance(function, Function):
            return scope.run.null("what is called is not a function")
        return invoke_named(function, values, scope.run)

    return call


def define(parameters: Sequence[tuple[str, Type]], body: Body) -> Code:
    """`function(a, b) body`: sees the names around its definition."""
    names = tuple(name for name, _ in parameters)
    types = tuple(wanted for _, wanted in parameters)

    def defined(scope: Scope) -> Value:
        def call(arguments: Sequence[Value], run: Run) -> Value:
            values = bind(names, types, arguments, run)
            if values is None:
                return None
            return run_body(body, Scope(values, scope, run))

        return Function("function", names, call, types)

    return defined


def foreign(parameters: Sequence[tuple[str, Type]]) -> Code:
    """A function of another language: it can be spoken of, and calling it is an error with a name."""
    names, types = tuple(name for name, _ in parameters), tuple(wanted for _, wanted in parameters)

    def call(_arguments: Sequence[Value], _run: Run) -> Value:
        raise ExpressionError("function.external", "functions of other languages are never called")

    return lambda _scope: Function("external", names, call, types)


def run_body(body: Body, scope: Scope) -> Value:
    """Pay for one call, and make it."""
    budget = scope.run.budget
    budget.spend(body.size)
    budget.enter(body.depth)
    try:
        return body.code(scope)
    finally:
        budget.leave(body.depth)


def bind(
    names: Sequence[str], types: Sequence[Type], arguments: Sequence[Value], run: Run
) -> dict[str, Value] | None:
    """Arguments under their names, or None with a warning if one does not conform."""
    values: dict[str, Value] = {}
    for name, wanted, argument in zip(names, types, arguments, strict=True):
        fits, value = coerce(argument, wanted, run)
        if not fits:
            run.null(f"{name} is not a {wanted.name}")
            return None
        values[name] = value
    return values


def invoke(function: Function, arguments: Sequence[Value], run: Run) -> Value:
    """The function's value for arguments in order."""
    if len(arguments) != len(function.parameters):
        return run.null(f"{function.name}() takes {len(function.parameters)} arguments")
    return function.call(arguments, run)


def invoke_named(function: Function, arguments: Mapping[str, Value], run: Run) -> Value:
    """The function's value for named arguments; each parameter must be named."""
    if set(arguments) != set(function.parameters):
        return run.null(f"{function.name}() takes the arguments {', '.join(function.parameters)}")
    return function.call([arguments[name] for name in function.parameters], run)


def _function_named(name: str, scope: Scope | None) -> Function | None:
    while scope is not None:
        if name in scope.names and isinstance(scope.names[name], Function):
            found: Function = scope.names[name]
            return found
        scope = scope.parent
    return None


def _call_host(name: str, values: Sequence[Value], run: Run) -> Value:
    host = run.functions.get(name)
    if host is None:
        return run.null(f"there is no function {name!r}")
    run.budget.spend(1)
    try:
        return host(*values)
    except Unrepresentable:
        raise
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return run.null(f"{name}(): {error}")


def parameter_types(types: Sequence[Type | None]) -> tuple[Type, ...]:
    """Types of parameters, where an undeclared one may be anything."""
    return tuple(wanted or ANY for wanted in types)
