"""The Python API: `DataRepo`, with one module for each of its attributes."""
