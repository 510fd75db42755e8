"""Show a picture or a recording: on a page (page.py and the scripts), and as text (text.py).

A page plays a recording without a Redis, a kernel or a network.
"""
