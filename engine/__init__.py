"""The machine that runs a drawing and remembers every step."""
