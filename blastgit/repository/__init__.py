"""A data repo, local or remote: commits, history, settings, policy, recovery."""
