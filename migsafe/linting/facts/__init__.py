"""Facts about a migration that several rules need: ownership, held locks, timeouts, transaction blocks, and the wording of messages."""
