"""Parts of verbs: those that several verbs share, and those that would make a module too long."""
