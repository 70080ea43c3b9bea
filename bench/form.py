"""What people hand in on a case of the benchmark: pages of fixed seed that do not compress, and points."""

from __future__ import annotations

import base64
import random
from functools import cache

FIELDS = 20
POOL = 97
"""So many different pages; which one a case hands in where is counted, not drawn."""

HUMAN = ("submit", "review", "consult_a", "consult_b", "consult_c", "designation", "objections", "promotion")
CONSULTS = HUMAN[2:5]
TIMER = "publicity"
PHASES = ("start", *HUMAN[:6], TIMER, *HUMAN[6:])
"""Breadth first: every open case takes one step before any takes the next."""

COMPLETIONS = len(HUMAN)
EVENTS = 10 + 4 + 1
"""Transactions of a case, timers armed, decisions made."""

Page = dict[str, str]


@cache
def pages(payload: int, seed: int = 1) -> tuple[Page, ...]:
    """Pages of about `payload` bytes: 20 fields each, text that no database can make smaller."""
    chance = random.Random(seed)
    return tuple(_page(chance, payload) for _ in range(POOL))


def _page(chance: random.Random, payload: int) -> Page:
    length = payload * 9 // (10 * FIELDS)  # 90 characters of 2000 bytes; names and quotes are the rest
    return {f"f{n:02}": _text(chance, length) for n in range(1, FIELDS + 1)} if length else {}


def _text(chance: random.Random, length: int) -> str:
    return base64.b85encode(chance.randbytes(length)).decode()[:length]


def page(number: int, step: str, payload: int) -> Page:
    """What case `number` hands in at a step."""
    pool = pages(payload)
    return pool[(number * COMPLETIONS + HUMAN.index(step)) % POOL]


def points(number: int) -> int:
    """What case `number` claims, 0 to 100."""
    return number * 37 % 101


def score(number: int) -> int:
    """What the table of five rules must make of it."""
    return next((5 - n for n, least in enumerate((90, 80, 70, 60)) if points(number) >= least), 1)
