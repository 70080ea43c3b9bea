"""Bundles: evidence about cases that verifies without this system."""
