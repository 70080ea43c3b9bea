"""What each command does: start, hand in, complete, steer, send a letter."""
