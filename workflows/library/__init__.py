"""Processes before they run: packages, forms, decision tables and calendars, checked and deployed."""
