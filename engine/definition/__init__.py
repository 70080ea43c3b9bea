"""A drawing becomes a definition: read, checked, and parsed by SpiffWorkflow."""
