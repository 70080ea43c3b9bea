"""Reading, room by room."""
