"""Names, refs, paths, times and trailers: how everything in a data repo is spelt."""
