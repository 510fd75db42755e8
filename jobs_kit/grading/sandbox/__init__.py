"""Run student code outside the judge's process: the fork server's client, and containment.

child/ is the fork server itself; it imports nothing of the kit.
"""
