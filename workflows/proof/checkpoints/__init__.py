"""Checkpoints: what the journal was at a moment, signed and handed to people outside the house."""
