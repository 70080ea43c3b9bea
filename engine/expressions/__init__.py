"""FEEL, the language of conditions and decisions: read once, compiled to closures, run within a budget."""
