"""FEEL text cut into tokens: the part of the grammar that names with spaces make special."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lark import Token
from lark.lexer import Lexer

from engine.expressions.budget import ExpressionError

MAX_TEXT = 100_000
MAX_TOKENS = 5_000
MAX_NESTING = 60

_START = (
    r"?A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_PART = _START + r"0-9\u00B7\u0300-\u036F\u203F-\u2040"
_WORD = f"[{_START}][{_PART}]*"
_SPACE = re.compile(r"(?:[\s\u0085\u180E\u200B\uFEFF]|//[^\n]*|/\*[\s\S]*?\*/)+")
_TOKEN = re.compile(
    rf"""(?P<NUMBER>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<AT>@"[^"\\\n]*")
    |(?P<STRING>"(?:[^"\\]|\\.)*")
    |(?P<WORD>{_WORD})
    |(?P<MARK>\*\*|\.\.|->|!=|<=|>=|[-+*/=<>.,:()\[\]{{}}])""",
    re.VERBOSE | re.DOTALL,
)
_KEY = re.compile(rf"\s*([{_START}][{_PART}\s./'*+\-]{{0,200}}?)\s*:")
_PLAIN = re.compile(rf"{_WORD}(?: {_WORD})*")

_KEPT = ("some", "every", "external", "function", "true", "false", "null")
_DROPPED = ("for", "return", "if", "then", "else", "satisfies", "in", "or", "and", "between")
KEYWORDS = {word: word.upper() for word in _KEPT} | {word: f"_{word.upper()}" for word in _DROPPED}
MARKS = {
    "**": "_POW", "..": "_DOTS", "->": "_ARROW", "!=": "CMP", "<=": "CMP", ">=": "CMP", "=": "CMP",
    "<": "LT", ">": "GT", ".": "_DOT", ",": "_COMMA", ":": "_COLON", "+": "PLUS", "-": "MINUS",
    "*": "STAR", "/": "SLASH", "(": "LP", ")": "RP", "[": "LB", "]": "RB", "{": "_LC", "}": "_RC",
}  # fmt: skip
KNOWN = (
    "date and time",
    "years and months duration",
    "days and time duration",
    "get or else",
    "working days between",
)
_OPERANDS = frozenset(
    {"NAME", "NUMBER", "STRING", "AT", "RP", "RB", "_RC", "TRUE", "FALSE", "NULL", "RANGE_CLOSE"}
)
_GLUE = frozenset(
    {"PLUS", "MINUS", "STAR", "SLASH", "_AND", "_OR", "_IN", "_BETWEEN", "_FOR", "_IF", "NUMBER"}
)


@dataclass(frozen=True)
class Source:
    """A text to read, the names in it that only its owner can know, and whether it is a table's cell."""

    text: str
    names: frozenset[str] = frozenset()
    is_cell: bool = False


class FeelLexer(Lexer):
    """The lexer that lark's parser asks."""

    def __init__(self, lexer_conf: object) -> None:
        self.configuration = lexer_conf

    def lex(self, data: object, parser_state: object = None) -> Iterator[Token]:
        """The tokens of a Source. Raises ExpressionError."""
        if not isinstance(data, Source):
            raise TypeError("a Source is expected")
        return iter(tokens_of(data))


def tokens_of(source: Source) -> list[Token]:
    """All tokens of `source`. Raises ExpressionError syntax, syntax.size or syntax.depth."""
    if len(source.text) > MAX_TEXT:
        raise ExpressionError("syntax.size", f"an expression has at most {MAX_TEXT} characters")
    return _Cutter(source).cut()


def normal_name(text: str) -> str:
    """A name in its one spelling: single spaces, none around `+ - * / . '`."""
    return re.sub(r"\s*([-+*/.'])\s*", r"\1", " ".join(text.split()))


def needs_telling(name: str) -> bool:
    """Whether a reader must know `name` beforehand to see it as one name."""
    return not _PLAIN.fullmatch(name) or any(word in KEYWORDS for word in name.split())


def wide_names(tokens: list[Token], text: str) -> frozenset[str]:
    """The names that parts of the text would be if somebody had such a name: `a-b`, `x and y`, `risk 1`."""
    found: set[str] = set()
    for first, token in enumerate(tokens):
        if token.type != "NAME" or len(found) > 200:
            continue
        for last in range(first + 1, min(first + 12, len(tokens))):
            if tokens[last].type in ("NAME", "NUMBER"):
                found.add(normal_name(text[token.start_pos : tokens[last].end_pos]))
            elif tokens[last].type not in _GLUE:
                break
    return frozenset(name for name in found if needs_telling(name))


@lru_cache(maxsize=1024)
def _finder(names: frozenset[str]) -> re.Pattern[str]:
    wanted = sorted(
        {*KNOWN, *(normal_name(name) for name in names if needs_telling(name))}, key=len, reverse=True
    )
    patterns = [_spaced(name) for name in wanted if name and name not in KEYWORDS]
    return re.compile(rf"(?:{'|'.join(patterns)})(?![{_PART}])")


def _spaced(name: str) -> str:
    parts = re.findall(r"[-+*/.']|\s|[^-+*/.'\s]+", name)
    spelled = (
        r"\s+" if p.isspace() else rf"\s*{re.escape(p)}\s*" if p in "-+*/.'" else re.escape(p) for p in parts
    )
    return "".join(spelled)


class _Cutter:
    def __init__(self, source: Source) -> None:
        self.text = source.text
        self.names = set(source.names)
        self.find = _finder(source.names)
        self.is_cell = source.is_cell
        self.at = 0
        self.tokens: list[Token] = []
        self.nest: list[str] = []
        self.dotted: list[bool] = [False]

    def cut(self) -> list[Token]:
        self._skip()
        while self.at < len(self.text):
            if not self._key():
                self._next()
            if len(self.tokens) > MAX_TOKENS:
                raise ExpressionError(
                    "syntax.size", f"an expression has at most {MAX_TOKENS} words and signs"
                )
            self._skip()
        return _with_cell_not(self.tokens) if self.is_cell else self.tokens

    def _skip(self) -> None:
        if found := _SPACE.match(self.text, self.at):
            self.at = found.end()
        if self.text.startswith("/*", self.at):
            raise ExpressionError("syntax", "the comment is never closed", position=self.at)

    def _add(self, kind: str, value: str, end: int) -> None:
        self.tokens.append(Token(kind, value, start_pos=self.at, end_pos=end))
        self.at = end

    def _previous(self) -> str:
        return self.tokens[-1].type if self.tokens else ""

    def _key(self) -> bool:
        if not self.nest or self.nest[-1] != "{" or self._previous() not in ("_LC", "_COMMA"):
            return False
        found = _KEY.match(self.text, self.at)
        if not found:
            return False
        name = normal_name(found[1])
        if needs_telling(name) and name not in self.names:
            self.names.add(name)
            self.find = _finder(frozenset(self.names))
        self._add("NAME", name, found.end(1))
        return True

    def _next(self) -> None:
        if found := self.find.match(self.text, self.at):
            self._add("NAME", normal_name(found[0]), found.end())
            return
        found = _TOKEN.match(self.text, self.at)
        if not found:
            raise ExpressionError("syntax", f"unexpected {self.text[self.at]!r}", position=self.at)
        kind = found.lastgroup or ""
        if kind == "WORD":
            self._word(found[0], found.end())
        elif kind == "MARK":
            self._mark(found[0], found.end())
        else:
            self._add(kind, found[0], found.end())

    def _word(self, word: str, end: int) -> None:
        if word == "instance" and (of := re.compile(r"\s+of(?=\s)").match(self.text, end)):
            self._add("_INSTANCE", word, of.end())
        elif word in KEYWORDS and self._previous() != "_DOT":
            self._add(KEYWORDS[word], word, end)
        else:
            self._name(word, end)

    def _name(self, word: str, end: int) -> None:
        """A name goes on as long as words follow that mean nothing else."""
        words = [word]
        while more := re.compile(rf"\s+({_WORD})").match(self.text, end):
            if more[1] in KEYWORDS or self._is_instance_of(more) or self.find.match(self.text, more.start(1)):
                break
            words.append(more[1])
            end = more.end()
        self._add("NAME", " ".join(words), end)

    def _is_instance_of(self, found: re.Match[str]) -> bool:
        return found[1] == "instance" and bool(re.compile(r"\s+of\s").match(self.text, found.end()))

    def _mark(self, mark: str, end: int) -> None:
        kind = MARKS[mark]
        is_operand_before = self._previous() in _OPERANDS
        if mark == "]" and not is_operand_before and self._previous() != "LB":
            self._open("RANGE_OPEN", mark, end)
        elif mark == "[" and is_operand_before and self.dotted[-1] and not self._starts_value(end):
            self._close("RANGE_CLOSE", mark, end)
        elif mark in "([{":
            self._open(kind, mark, end)
        elif mark in ")]}":
            self._close(kind, mark, end)
        else:
            if mark == "..":
                self.dotted[-1] = True
            self._add(kind, mark, end)

    def _starts_value(self, at: int) -> bool:
        rest = self.text[at:].lstrip()
        word = re.match(_WORD, rest)
        if word:
            return word[0] not in (
                "and",
                "or",
                "then",
                "else",
                "return",
                "satisfies",
                "in",
                "between",
                "instance",
            )
        return bool(rest) and rest[0] not in ")],}.=!<>*/+:"

    def _open(self, kind: str, mark: str, end: int) -> None:
        self.nest.append(mark)
        self.dotted.append(False)
        if len(self.nest) > MAX_NESTING:
            raise ExpressionError(
                "syntax.depth", f"more than {MAX_NESTING} brackets in brackets", position=self.at
            )
        self._add(kind, mark, end)

    def _close(self, kind: str, mark: str, end: int) -> None:
        if not self.nest:
            raise ExpressionError("syntax", f"nothing is open that {mark!r} could close", position=self.at)
        self.nest.pop()
        self.dotted.pop()
        self._add(kind, mark, end)


def _with_cell_not(tokens: list[Token]) -> list[Token]:
    """In a cell `not(…)` around everything negates the tests; elsewhere it is the function."""
    if len(tokens) < 3 or tokens[0] != "not" or tokens[0].type != "NAME" or tokens[1].type != "LP":
        return tokens
    depth = 0
    for place, token in enumerate(tokens[1:], start=1):
        depth += {"LP": 1, "RP": -1}.get(token.type, 0)
        if depth == 0:
            return tokens if place < len(tokens) - 1 else [Token("CELL_NOT", "not", 0), *tokens[1:]]
    return tokens
