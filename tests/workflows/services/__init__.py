"""Service operations, noun by noun."""
