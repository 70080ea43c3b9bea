"""Where a process owner works on a process: drafts, checks on disk, played examples."""
