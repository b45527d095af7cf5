"""Dataset types: which files they are, what they are called, and which store keeps them."""
