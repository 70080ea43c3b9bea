"""One story for each defect of SpiffWorkflow that can be shown: its result as it comes, and ours."""
