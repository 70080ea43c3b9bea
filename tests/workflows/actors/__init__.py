"""Actors, room by room."""
