from analysis import summarize


def report(job):
    return summarize(start=job["start"], end=job["end"])
