"""What verbs are made of that several use, or that would make one too long."""
