"""The tokens of one running case, moved by SpiffWorkflow."""
