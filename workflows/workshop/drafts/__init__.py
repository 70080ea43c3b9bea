"""Processes that are being changed: edited, approved by a second person, published."""
