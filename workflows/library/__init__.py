"""Processes before they run: packages, forms and decision tables, checked and deployed."""
