"""A queue that you can watch. board.py is what a lesson uses; the rest is who does what for it.

Redis ─▶ watcher ─▶ trace, look ─▶ notes ─▶ record ─▶ page ─▶ player.js, parts.js, board.js
         listens    what it means  events   kept      a widget, a file, text or SVG
"""
