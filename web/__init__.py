"""The doors: REST, pages, editor, audit, scheduler, command line."""
