"""People and machines at work on cases."""
