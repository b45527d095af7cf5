"""The real Blast with blastgit in its workflow: the life of three transients, and what each event has to come to."""
