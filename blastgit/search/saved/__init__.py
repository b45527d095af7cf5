"""Saved queries: `queries/NAME.sql` on main, each with a description and parameters, changed by commits."""
