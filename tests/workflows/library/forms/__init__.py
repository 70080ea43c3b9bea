"""Forms, room by room."""
