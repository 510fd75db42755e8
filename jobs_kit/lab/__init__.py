"""What a lesson imports: Redis found or started, live shells, programs, predictions."""

from jobs_kit.lab.doctor import examine
from jobs_kit.lab.find import find_redis
from jobs_kit.lab.predict import predict
from jobs_kit.lab.programs import start_program
from jobs_kit.lab.shells import open_shells

__all__ = ["examine", "find_redis", "open_shells", "predict", "start_program"]
