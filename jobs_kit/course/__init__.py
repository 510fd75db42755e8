"""The exercises of the course: what each one is, and the starters made from the solved masters."""
