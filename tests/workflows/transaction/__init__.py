"""The transaction, room by room."""
