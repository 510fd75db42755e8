"""What a lesson imports: Redis found or started, live shells, programs, predictions."""

from jobs_kit.lab.server import find_redis

__all__ = ["find_redis"]
