"""Git: processes, refs, trees, commits, locks, durability. Independent of astronomy."""
