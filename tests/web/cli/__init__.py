"""The command line over real data directories."""
