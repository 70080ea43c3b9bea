"""Proofs: the tree, the notes, the positions."""
