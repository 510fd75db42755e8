"""A Redis server: find one, start one, keep it alive, and follow what its clients send.

Nothing here knows about queues, lessons or exercises.
"""
