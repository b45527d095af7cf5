"""Recording the state of a transient: sources, the decision, the revision, stages, replay."""
