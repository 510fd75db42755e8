"""The files of a submission, read as text and as syntax trees; nothing is run."""
