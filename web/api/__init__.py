"""The REST API under /api/v1: one room per kind of thing."""
