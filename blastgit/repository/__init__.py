"""A data repo, on this machine or elsewhere: commits, history, settings, policy, recovery."""
