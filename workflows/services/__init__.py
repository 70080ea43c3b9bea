"""Service operations: what a service task of a drawing can ask the house to do, noun by noun."""
