"""Who sees that somebody works in two shells? watch.py starts the watch, and the rest looks.

Redis ──▶ overhear (by MONITOR) or observe (by looking) ──▶ history ──▶ sightings, in two files
"""
