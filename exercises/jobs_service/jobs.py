"""What a job is, where it lives, and how it is queued."""
