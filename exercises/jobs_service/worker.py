"""Take the id of a job off the queue, do the job, write what came of it."""
