"""The index: a DuckDB file beside the repo with what all revisions say, as tables; derived, and safe to delete."""
