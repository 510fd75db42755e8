"""A class's shared Redis: its users, their rules, the limits, and its status.

settings of the class ─▶ record.py: the folder that holds them (classroom.json, students.csv)
roster ─▶ roster.py: students ─▶ user_names.py: their user names
record ─▶ users.py: ACL users by rules.py ─▶ the server
          limits.py: settings of the server, and their values before
"""
