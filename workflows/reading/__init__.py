"""What people look at: the inbox, a task on the desk, the history of a case, public notices."""
