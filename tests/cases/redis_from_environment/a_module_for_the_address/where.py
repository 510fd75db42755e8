"""The address of Redis."""

import os
from urllib.parse import urlsplit


def redis_options():
    """Return the host and the port of Redis as a dict."""
    if "REDIS_URL" in os.environ:
        url = urlsplit(os.environ["REDIS_URL"])
        return {"host": url.hostname, "port": url.port}
    return {"host": os.environ.get("REDIS_HOST") or "redis", "port": int(os.environ.get("REDIS_PORT", 6379))}
