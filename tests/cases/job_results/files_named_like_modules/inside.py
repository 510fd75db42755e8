"""What is inside a job."""
