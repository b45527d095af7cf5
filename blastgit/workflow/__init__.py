"""The workflow that makes a transient's data: its stages, what failed, and where to restart."""
