"""The demonstration, room by room."""
