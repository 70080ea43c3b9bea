"""What everything else is kept in: the tables, how they are opened, claimed, backed up and brought back."""
