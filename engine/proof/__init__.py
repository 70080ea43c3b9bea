"""Proofs for those who trust no database: one order over all entries, a Merkle tree, signed checkpoints."""
