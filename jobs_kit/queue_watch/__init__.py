"""Who put, took, finished and lost which message: the recorder behind boards and checks."""
