"""The command line: one room per kind of work, loaded only when its command is called."""
