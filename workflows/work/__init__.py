"""What goes on without a person, and what is left for those who look after it."""
