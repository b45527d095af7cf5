"""The TAP service: the tables of the index, and the files they name, for TOPCAT, pyvo and whatever speaks TAP 1.1."""
