"""Passwords as they are kept: argon2id hashes, made and measured."""

from __future__ import annotations

from functools import cache

import argon2

from engine.errors import FieldError, InvalidInput

SHORTEST, LONGEST = 8, 200
_HASHER = argon2.PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash to store. Raises InvalidInput for one too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        text = f"a password has {SHORTEST} to {LONGEST} characters"
        zh = f"密码长度应为{SHORTEST}至{LONGEST}位"
        field = FieldError(pointer="/password", code="length", message=text, message_zh=zh)
        raise InvalidInput(text, fields=(field,))
    return _HASHER.hash(password)


def matches(hashed: str, password: str) -> bool:
    """Whether it is this password. Takes a tenth of a second and 64 MB: not inside a transaction.

    Raises MemoryError where the memory is not to be had: then nobody knows whether it is right.
    """
    try:
        return _HASHER.verify(hashed, password[: LONGEST + 1])
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        return False
    except argon2.exceptions.VerificationError as error:
        if "emory" in str(error):
            raise MemoryError("no memory to measure a password with") from error
        return False


@cache
def nobody() -> str:
    """The hash an unknown person is measured against, so that the answer takes as long."""
    return _HASHER.hash("nobody has this password")
