"""The workshop, room by room."""
