"""Measurements that anyone can repeat: `python -m benchmarks` for speed and memory, against controls."""
