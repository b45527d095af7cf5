"""Which store the files of each dataset type are kept in."""
