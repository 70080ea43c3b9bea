"""Tests of the tests: faults planted in a copy of the house, each of which must turn the suite red."""
