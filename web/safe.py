"""Addresses that a stranger may have written: only paths of our own house are followed."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_next(wanted: str | None, *, otherwise: str = "/") -> str:
    """The path to go to next: `wanted` when it can only lead into this house, else `otherwise`."""
    if not wanted or not wanted.startswith("/") or wanted[1:2] in ("/", "\\"):
        return otherwise
    if "\\" in wanted or any(ord(sign) < 0x21 or ord(sign) == 0x7F for sign in wanted):
        return otherwise
    parts = urlsplit(wanted)
    return otherwise if parts.scheme or parts.netloc else wanted
