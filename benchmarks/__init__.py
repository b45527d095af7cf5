"""Reproducible benchmarks: `python -m benchmarks` measures speed and memory, compared with controls."""
