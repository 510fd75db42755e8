"""Grade a class: read the hand-ins, run several judges, write the reports."""
