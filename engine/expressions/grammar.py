"""FEEL's grammar, and the parser that lark builds from it."""

from __future__ import annotations

from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from engine.expressions.budget import ExpressionError
from engine.expressions.lexer import FeelLexer, Source, tokens_of

GRAMMAR = r"""
expression: expr
cell: _tests
    | CELL_NOT LP _tests RP                                    -> cell_not
_tests: _test (_COMMA _test)*
_test: expr | comparison

?expr: disjunction
    | _IF expr _THEN expr _ELSE expr                           -> if_
    | _FOR iteration (_COMMA iteration)* _RETURN expr          -> for_
    | SOME iteration (_COMMA iteration)* _SATISFIES expr       -> some
    | EVERY iteration (_COMMA iteration)* _SATISFIES expr      -> every
    | FUNCTION LP [parameter (_COMMA parameter)*] RP expr      -> function
    | FUNCTION LP [parameter (_COMMA parameter)*] RP EXTERNAL expr -> external
iteration: NAME _IN expr
    | NAME _IN expr _DOTS expr                                 -> iteration_range
parameter: NAME [_COLON type]

?disjunction: conjunction (_OR conjunction)*
?conjunction: relation (_AND relation)*
?relation: sum
    | relation (LT | GT | CMP) sum                             -> compare
    | relation _BETWEEN sum _AND sum                           -> between
    | relation _IN _in_target                                  -> in_
_in_target: sum | comparison | in_list
in_list: LP _in_item (_COMMA _in_item)+ RP
_in_item: expr | comparison
comparison: (LT | GT | CMP) sum

?sum: product ((PLUS | MINUS) product)*
?product: power ((STAR | SLASH) power)*
?power: negation (_POW negation)*
?negation: instance | MINUS negation                           -> negative
?instance: postfix | instance _INSTANCE type                   -> instance_of
?postfix: atom
    | postfix _DOT NAME                                        -> path
    | postfix LB expr RB                                       -> filter
    | postfix LP [expr (_COMMA expr)*] RP                      -> call
    | postfix LP named (_COMMA named)* RP                      -> call_named
named: (NAME | STRING) _COLON expr
?atom: NUMBER -> number | STRING -> string | AT -> at | NAME -> name
    | TRUE -> true | FALSE -> false | NULL -> null
    | LP expr RP                                               -> group
    | LP comparison RP                                         -> half_range
    | (LP | LB | RANGE_OPEN) expr _DOTS expr (RP | RB | RANGE_CLOSE) -> range
    | LB [expr (_COMMA expr)*] RB                              -> list
    | _LC [entry (_COMMA entry)*] _RC                          -> context
entry: (NAME | STRING) _COLON expr

type: NAME (_DOT NAME)*
    | NAME LT type (_COMMA type)* GT                           -> type_of
    | NAME LT field (_COMMA field)* GT                         -> type_context
    | FUNCTION [LT [type (_COMMA type)*] GT _ARROW type]       -> type_function
field: NAME _COLON type

%declare NUMBER STRING AT NAME TRUE FALSE NULL CMP LT GT PLUS MINUS STAR SLASH _POW _DOT _DOTS _COMMA _COLON
%declare LP RP LB RB _LC _RC RANGE_OPEN RANGE_CLOSE _ARROW CELL_NOT
%declare _FOR _RETURN _IF _THEN _ELSE SOME EVERY _SATISFIES _IN FUNCTION EXTERNAL _OR _AND _BETWEEN _INSTANCE
"""

_PARSER = Lark(
    GRAMMAR,
    parser="lalr",
    lexer=FeelLexer,
    start=["expression", "cell"],
    maybe_placeholders=False,
    propagate_positions=True,
)

Node = Tree[Token]


def parse_tree(source: Source) -> tuple[Node, list[Token]]:
    """The syntax tree and the tokens of `source`. Raises ExpressionError syntax…"""
    tokens = tokens_of(source)
    if not tokens:
        raise ExpressionError("syntax", "the expression is empty", position=0)
    start = "cell" if source.is_cell else "expression"
    try:
        tree: Any = _PARSER.parse(source, start=start)
    except UnexpectedToken as error:
        raise _unexpected(error.token, source.text) from None
    except UnexpectedInput as error:
        raise ExpressionError("syntax", f"the expression cannot be read: {error}") from None
    return tree, tokens


def _unexpected(token: Token, text: str) -> ExpressionError:
    if token.type == "$END":
        return ExpressionError("syntax", "the expression ends too early", position=len(text))
    return ExpressionError("syntax", f"unexpected {str(token)!r}", position=token.start_pos)
