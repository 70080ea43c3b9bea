"""What somebody sent is tried in a process of its own, which ends when it takes too much time or memory."""
