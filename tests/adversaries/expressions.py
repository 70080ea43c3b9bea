"""Rows 30 to 52: expressions, each in every place where this house evaluates a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tests.adversaries.places import FORMS, PLACES
from tests.adversaries.row import Attack, Row

PYTHON = {
    "30 import": "__import__('os').system('id')",
    "30 import quoted": '__import__("os").system("id")',
    "31 subclasses": "().__class__.__base__.__subclasses__()",
    "31 subclasses of a text": '"".__class__.__mro__',
    "32 getattr": 'getattr("", "__cl" + "ass__")',
    "33 format": '"{0.__class__}".format("x")',
    "33 format map": '"{x.__class__}".format_map(score)',
    "33 f-string": 'f"{1}"',
    "33 formatter": 'string.Formatter().get_field("0.__class__", ("x"), {})',
    "34 frames": "(for i in [1] return i).gi_frame.f_back.f_builtins",
    "35 except star": "try: 1 except* E: 2",
    "36 attribute": "score.obj.__dict__",
    "37 lambda": "lambda: 1",
    "37 default": "lambda x=open: x",
    "37 walrus": "(a := 1)",
    "37 decorator": "@print",
    "37 metaclass": "__build_class__(print, 1)",
    "38 reduce": "[].append.__reduce_ex__(2)",
    "38 self": "print.__self__",
    "39 while": "while True: pass",
    "45 exit": "raise SystemExit",
    "45 interrupt": "raise KeyboardInterrupt",
    "46 error": "raise ValueError(1)",
    "47 builtins": "__builtins__",
    "47 overwritten": "{print: 1, __builtins__: 2}.__builtins__.eval",
    "48 environment": "os.environ",
    "48 secret": "settings.secret_key",
    "48 session": "connection.engine",
    "48 other case": "library.definition",
    "48 globals": "count.__globals__",
    "49 open": 'open("/etc/passwd").read()',
    "49 eval": 'eval("1+1")',
    "49 socket": "socket.socket().connect(1)",
    "49 thread": "threading.Thread(target=print).start()",
    "49 external": '(function(a) external {java: {class: "Runtime", method signature: "exec()"}})(1)',
    "50 random": "random number()",
    "50 random Python": "random.random()",
    "50 time": "time.time()",
    "52 template": "{{7*7}}",
    "52 configuration": "{{config}}",
    "52 shell": "${7*7}",
}
BOMBS = {
    "39 endless recursion": "{f: function(x) f(x + 1), r: f(1)}.r",
    "41 long text": 'for i in 1..30 return if i = 1 then "aaaaaaaaaa" else partial[-1] + partial[-1]',
    "41 large list": "for i in 1..1000000000000 return i",
    "42 nested loops": "for a in 1..100000, b in 1..100000 return a * b",
    "42 nested quantifiers": "every a in 1..100000 satisfies every b in 1..100000 satisfies a + b > 0",
    "42 shared lists": "string(for i in 1..40 return if i = 1 then [1, 1] else [partial[-1], partial[-1]])",
    "43 mutual recursion": "{f: function(g, n) g(g, n) + g(g, n), r: f(f, 1)}.r",
    "44 sorting": "sort(for i in 1..20000 return modulo(i * 7919, 10007), function(a, b) a < b)",
    "44 distinct": "distinct values(for i in 1..50000 return i)",
    "44 filter in filter": "(for i in 1..3000 return i)[count((for j in 1..3000 return j)[item > 1]) > 0]",
}
CHEAP = {
    "40 power tower": "9 ** 9 ** 9",
    "40 power tower to the right": "9 ** (9 ** (9 ** 9))",
    "40 large exponent": "exp(10 ** 30)",
    "40 root of a large number": "sqrt(10 ** 6000) ** 0.333",
    "41 text times number": '"a" * 10 ** 9',
    "41 list times number": "[0] * 10 ** 9",
    "41 scale": "decimal(1, 6000)",
    "44 nested quantifier": 'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a+)+$")',
    "44 alternation": 'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a|aa)+$")',
    "44 replace": 'replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a*)*c", "x")',
    "44 large repetition": 'matches("a", "((a{1000}){1000}){1000}")',
    "44 split": 'split("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a|a)*c")',
    "56 long duration": 'duration("P1000000000000000000000000000000Y")',
    "56 many days": '@"P999999999D" * 1000000',
}
LARGE = {
    "43 deep brackets": "(" * 10_000 + "1" + ")" * 10_000,
    "43 deep lists": "[" * 10_000,
    "43 deep minus": "-" * 4_000 + "1",
    "43 deep if": "if true then 1 else " * 900 + "1",
    "43 a megabyte": "1 + " * 300_000 + "1",
    "43 many words": "1 + " * 5_000 + "1",
    "43 half a character": r'"\uD83D"',
    "43 NUL": r'"\u0000"',
    "43 open comments": "/* " * 30_000,
    "43 a key that never ends": "{a" + " b" * 45_000,
}
NASTY = '"; import os; os.system("id")'
REFUSED = ("refused:feel.", "refused:expression.", "refused:dmn.", "refused:form.", "refused:decision.")
NOTHING = ("x=null", "x=false", "x=[", '"low"')
HARMLESS = tuple(f"{kind}:{value}" for kind in ("completed", "active") for value in NOTHING)
OWN = {
    "collection": ("completed:x=1",),
    "form bound": ("completed:x=5",),
    "activation": ("refused:flow.deadlock",),  # a gateway that nothing can open
    "timer duration": ("refused:timer.value",),  # what is fixed is read at deploy
    "timer date": ("refused:timer.value",),
    "timer cycle": ("refused:timer.value",),
}
"""What may come of a harmless text in one place only."""
ALL_ALIKE = ("script", "decision cell", "decision literal", "form computed")
"""One place for each way a text is read: as an expression, as a cell, in a decision and in a form."""
SHORT = ("39 endless recursion", "41 long text", "41 large list", "42 nested quantifiers")
"""The bombs tried in every other place too, one for each thing a budget counts."""


def rows() -> Iterator[Row]:
    """Every text in every place."""
    for place, drawn_at in PLACES.items():
        yield from _at(place, drawn_at)


def _at(place: str, drawn_at: Callable[[str], Attack]) -> Iterator[Row]:
    stopped = ("completed:x=", "rejected:") if place in FORMS else ("incident:EXPRESSION",)
    own = OWN.get(place, ())
    yield from _rows(PYTHON, place, drawn_at, (*REFUSED, *HARMLESS, *own, "incident:", "rejected:"))
    everywhere = place in ALL_ALIKE
    bombs = BOMBS if everywhere else {name: BOMBS[name] for name in SHORT}
    yield from _rows(bombs, place, drawn_at, (*REFUSED, *own, *stopped))
    yield from _rows(CHEAP, place, drawn_at, ("refused:", "completed:", "active:", "incident:", "rejected:"))
    if everywhere:
        yield from _rows(LARGE, place, drawn_at, (*REFUSED, "refused:package.size"))


def _rows(
    texts: Mapping[str, str], place: str, drawn_at: Callable[[str], Attack], expect: tuple[str, ...]
) -> Iterator[Row]:
    for name, text in texts.items():
        yield Row(id=f"{name} @ {place}", attack=partial(drawn_at, text), expect=expect, seconds=2)
