"""Git underneath: processes, refs, trees, commits, locks, durability. Knows nothing of astronomy."""
