"""A submission's programs while they run: processes, HTTP, and what they did in Redis."""
