"""Whether somebody may do a task in spite of what they are and did: conflict rules asked about a case."""
