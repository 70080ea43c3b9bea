"""Conflict rules, room by room."""
