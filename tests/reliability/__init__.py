"""The house under blows: races, kills, forgeries, and what must be true after each of them."""
