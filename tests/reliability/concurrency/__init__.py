"""Two acts under control: every place where one can come between the other's looking and its commit."""
