"""Reliability tests in numbers: `python -m benchmarks.reliability` prints a table, and fails if any data is lost."""
