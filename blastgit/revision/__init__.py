"""What a dataset revision is: reading an export, its natural form, comparing, and saying why. Knows nothing of git."""
