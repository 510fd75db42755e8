"""Show a live queue on a page. A lesson uses board.py.

The package queue_watch records what it shows, and queue_watch/player/ draws it.
"""
