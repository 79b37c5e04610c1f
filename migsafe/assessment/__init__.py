"""The pre-mortem: assume that a deployment has failed, and find the causes in findings, effects, row counts and measurements."""
