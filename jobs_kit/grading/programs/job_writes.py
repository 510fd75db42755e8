"""Read the fields that a Redis command writes to a job."""

import re

from jobs_kit.grading.programs.formats import json_dict
from jobs_kit.redis_server.monitor import HASH_WRITES, OTHER_WRITES
from jobs_kit.redis_server.text import text

STATUSES = (b"submitted", b"in progress", b"complete", b"failed")
WRAPPING = re.compile(r"""\bb(?=['"])|['"(),[\] ]""")  # of an id that was not text


def names_a_status(words):
    """Tell whether any of the words (bytes) contains a status of a job."""
    return any(status in word for word in words for status in STATUSES)


def is_same_job(key, home, jid):
    """Tell whether a key means the job at the key `home`: it is that key, or a ghost of it.

    A ghost's key is made of an id in bytes, of the bare id, or of a key: job.b'…', job.job.…
    """
    prefix = home.partition(jid)[0]
    return key == home or WRAPPING.sub("", key).replace(prefix, "") == jid


def fields_in(command, jid):
    """Return {name: text} of the fields that this command gives to the job; {} if it gives none."""
    if command.name not in HASH_WRITES | OTHER_WRITES or not command.holds(jid):
        return {}
    key, *words = map(text, command.arguments)
    if command.name in OTHER_WRITES:
        return next(filter(None, map(json_dict, words)), {})
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    if jid in key or pairs.get("id") == jid:
        return {name: value.strip('"') for name, value in pairs.items()}
    return next((json_dict(value) or {} for name, value in pairs.items() if jid in name), {})
