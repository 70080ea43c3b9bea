"""Acts, room by room."""
