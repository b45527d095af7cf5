"""Rows with described columns as text: one writer a format. Writers yield pieces, so that no result is kept twice."""
