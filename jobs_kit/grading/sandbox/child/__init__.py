"""The fork server and what surrounds student code in its process; imports nothing of the kit."""
