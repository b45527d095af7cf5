"""Names, refs, paths, times and trailers: the spelling of everything in a data repo."""
