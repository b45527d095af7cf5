"""Lines of users' own: work on a transient that is kept and numbered as the official one is, beside it."""
