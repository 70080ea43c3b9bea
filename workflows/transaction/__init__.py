"""One transaction: what a command may look at, what it leaves behind, and who shares its commit."""
