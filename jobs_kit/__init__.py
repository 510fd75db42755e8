"""A Jobs service on Redis that loses nothing, and the lessons that lead to it."""
