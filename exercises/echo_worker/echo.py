"""Print each message of the queue `echo`: a program that does not end."""
