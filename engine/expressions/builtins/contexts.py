"""Context functions."""

from __future__ import annotations

from engine.expressions.builtins.registry import builtin
from engine.expressions.comparison import negate
from engine.expressions.scope import NullResult, Run
from engine.values import Value

Context = dict[str, Value]


@builtin("get value", "m: context, key: string")
def _get_value(_run: Run, context: Context, key: str) -> Value:
    if key not in context:
        raise NullResult("there is no such entry")
    return context[key]


@builtin("get value", "m: context, keys: list")
def _get_value_below(run: Run, context: Context, keys: list[Value]) -> Value:
    if not keys:
        raise NullResult("there are no keys")
    found: Value = context
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            raise NullResult("there is no such entry")
        found = found[key]
    return found


@builtin("get entries", "m: context")
def _get_entries(run: Run, context: Context) -> Value:
    run.budget.check_list(len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context", "entries: list")
def _context_of(run: Run, entries: list[Value]) -> Value:
    run.budget.check_list(len(entries))
    made: Context = {}
    for entry in entries:
        if not isinstance(entry, dict) or not {"key", "value"} <= entry.keys():
            raise NullResult("every entry needs a key and a value")
        if not isinstance(entry["key"], str) or entry["key"] in made:
            raise NullResult("keys are texts and differ")
        made[entry["key"]] = entry["value"]
    return made


@builtin("context put", "context: context, key: string, value: any")
def _context_put(run: Run, context: Context, key: str, value: Value) -> Value:
    run.budget.check_list(len(context) + 1)
    return {**context, key: value}


@builtin("context put", "context: context, keys: list, value: any")
def _context_put_below(run: Run, context: Context, keys: list[Value], value: Value) -> Value:
    if not keys or not isinstance(keys[0], str):
        raise NullResult("the keys must be texts")
    first, rest = keys[0], keys[1:]
    if not rest:
        return _context_put(run, context, first, value)
    inner = context.get(first)
    if not isinstance(inner, dict):
        raise NullResult(f"{first!r} is not a context")
    return _context_put(run, context, first, _context_put_below(run, inner, rest, value))


@builtin("context merge", "contexts: list")
def _context_merge(run: Run, contexts: list[Value]) -> Value:
    made: Context = {}
    for context in contexts:
        if not isinstance(context, dict):
            raise NullResult("only contexts can be merged")
        run.budget.check_list(len(context))
        made.update(context)
    return made


@builtin("not", "negand: any")
def _negation(_run: Run, value: Value) -> Value:
    if value is not None and not isinstance(value, bool):
        raise NullResult("only true and false can be negated")
    return negate(value)


@builtin("get or else", "value: any, default: any")
def _get_or_else(_run: Run, value: Value, default: Value) -> Value:
    return default if value is None else value
