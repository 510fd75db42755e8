def dates_in(body):
    """Return start and end. Raises ValueError."""
    if not isinstance(body, dict):
        raise ValueError("send a JSON object")
    for name in ("start", "end"):
        if not isinstance(body.get(name), str):
            raise ValueError(f"{name} is not text")
    return body["start"], body["end"]
