"""The front door: `DataRepo`, one module for each of its attributes."""
