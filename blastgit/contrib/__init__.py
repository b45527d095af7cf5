"""Parts of other programs that use blastgit."""
