"""File contents: DVC's pointers, the layout of a store, and reading and writing it."""
