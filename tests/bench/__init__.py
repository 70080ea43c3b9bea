"""The benchmark's counts, which do not depend on how fast the machine is."""
