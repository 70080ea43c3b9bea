"""The demonstration: a season of cases played through the real commands on a hand-driven clock."""
