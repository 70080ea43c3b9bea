"""What each kind of element does when a token comes: task specifications for SpiffWorkflow."""
