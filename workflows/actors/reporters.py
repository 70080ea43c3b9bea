"""Reporters: people without an account who start a case, known to us by the digest of a secret of theirs."""

from __future__ import annotations

import hashlib
import re

from workflows.actors.policy import PUBLIC_LEVEL, Actor

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Signs of a secret: none that people mistake for another."""

LENGTH = 20
"""A hundred bits: nobody guesses one."""

PREFIX = "reporter-"
NAME = "举报人（未登录）"


def reporter(secret: str) -> Actor:
    """Who has this secret. The journal names them by its digest, which tells neither secret nor person.

    The same secret, however it is typed, is the same reporter. Raises ValueError for what is no secret.
    """
    told = re.sub(r"[\s-]", "", secret).upper()
    if len(told) != LENGTH or not set(told) <= set(ALPHABET):
        raise ValueError(f"a secret has {LENGTH} letters and digits")
    digest = hashlib.sha256(told.encode()).hexdigest()
    return Actor(id=f"{PREFIX}{digest[:32]}", name=NAME, level=PUBLIC_LEVEL)


def name_of(stranger: str) -> str:
    """What to call somebody who is not among the people: a reporter, or the id itself."""
    return NAME if stranger.startswith(PREFIX) else stranger
