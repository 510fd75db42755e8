"""The Jobs API: its routes, and nothing else."""
