"""The fork server and its additions to a student's process; imports nothing of the kit."""
