"""What a lesson imports: Redis found or started, live shells, programs, predictions."""

from jobs_kit.lab.doctor import examine
from jobs_kit.lab.server import find_redis
from jobs_kit.lab.shells import open_shells

__all__ = ["examine", "find_redis", "open_shells"]
