"""Take the id of a job off the queue, do the job, store its result."""
