"""Rules as rules: rule sets that process owners change, what differs, and what carries out which clause."""
