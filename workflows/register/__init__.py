"""The register: rule sets, calendars and batches, titles and bans, and what a case is told when it starts."""
