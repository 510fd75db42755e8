"""Record who put, took, finished and lost which message, for boards, checks and two_shells.

MonitorSource (commands heard)  ─▶ CommandInterpreter ─▶ QueueTracker ─▶ events of a Recording
looks at Redis                  ─▶ compare()          ─▶

The events add up to a picture (picture.py), which the board draws, and to Evidence (evidence.py),
by which two_shells is judged. CommandRecorder has the commands of a check, Senders tells who sent
them, and story.py tells a Recording in sentences.
"""
