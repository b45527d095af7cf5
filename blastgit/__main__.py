"""`python -m blastgit` is the command `blastgit`."""

from blastgit.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
