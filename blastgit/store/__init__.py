"""File contents: DVC's pointers, the layout of a store, and getting bytes in and out of it."""
