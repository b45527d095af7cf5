"""Reading a data repo: get, list, log, show, diff, blame."""
