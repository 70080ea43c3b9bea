"""What convinces others: evidence files, signed checkpoints, bundles that verify elsewhere."""
