"""Parts of verbs: those that several share, and those that would make one module too long."""
