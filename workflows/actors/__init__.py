"""Who there is, how they prove it, and what the rules let them do."""
