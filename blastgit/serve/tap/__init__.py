"""The TAP service: the tables of the index, and the files they name, for TOPCAT, pyvo and other TAP 1.1 clients."""
