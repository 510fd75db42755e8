"""Show a queue on a page. A lesson uses board.py; the package queue_watch records what it shows.

queue_watch ─▶ recording ─▶ page ─▶ player.js, parts.js, board.js
               events       a widget, a file, text or SVG
"""
