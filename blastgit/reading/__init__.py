"""What a reader asks of a data repo: get, list, log, show, diff, blame."""
