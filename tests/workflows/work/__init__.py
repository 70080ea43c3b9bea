"""Work, room by room."""
