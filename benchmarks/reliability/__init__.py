"""What blastgit survives, in figures: `python -m benchmarks.reliability` prints a table, and fails if any is lost."""
