"""Finding and comparing revisions by what they say."""
