"""A case: what may be asked of it, what follows, and what is true now."""
