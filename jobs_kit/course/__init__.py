"""The course: its exercises and lessons, and the files that are made from them."""
