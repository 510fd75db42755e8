"""What came back, in whatever form students give it? Jobs, ids, messages; nothing of it is run."""

import contextlib
import json
import pickletools
import re

UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}(?![0-9a-f])")
PICKLE_OF_A_TEXT = {"PROTO", "FRAME", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "STOP"}
PICKLE_OF_A_TEXT |= {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}


def jid_of(value):
    """Return the id of a job in whatever form add_job() returned it: text, dict or object."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value)
    if isinstance(value, dict):
        value = next((value[name] for name in ("id", "jid", "job_id") if name in value), None)
    if isinstance(value, list | tuple):
        value = next((one for one in map(jid_of, value) if one), None)
    return value if isinstance(value, str) and value else None


def read_message(message, serializer):
    """Return what a message (bytes) holds, by the name of its serializer; None if unreadable.

    Of a pickle only its texts are read, for to load one is to run it: the text, or a list.
    """
    with contextlib.suppress(ValueError, RecursionError):
        if "pickle" not in (serializer or "").lower():
            return json.loads(message)
        steps = list(pickletools.genops(message))
        texts = [argument for _, argument, _ in steps if isinstance(argument, str)]
        plain = all(step.name in PICKLE_OF_A_TEXT for step, _, _ in steps)
        return texts[0] if plain and len(texts) == 1 else texts
    return None if serializer else message.decode(errors="replace")


def dicts_in(value, in_texts=True):
    """Return every dict within a JSON value, those in JSON texts that it holds included.

    in_texts: whether to look into texts.
    """
    found, left = [], [value]
    while left:
        one = left.pop(0)
        if isinstance(one, str) and in_texts:
            with contextlib.suppress(ValueError, RecursionError):
                left.append(json.loads(one))
        elif isinstance(one, dict):
            found.append(one)
            left += one.values()
        elif isinstance(one, list):
            left += one
    return found


def other_id(message, jid):
    """Return a message (bytes) with its id exchanged for one that no job has, and that id.

    It is as long as the other one, for a pickled text says how long it is.
    """
    unknown = re.sub(r"\w", "0", jid)
    return message.replace(jid.encode(), unknown.encode()), unknown


def encoded(value):
    return {"bytes": value.decode("latin-1")} if isinstance(value, bytes) else value


def decoded(value):
    if isinstance(value, list):
        return [decoded(one) for one in value]
    if isinstance(value, dict) and "bytes" in value:
        return value["bytes"].encode("latin-1")
    if isinstance(value, dict):
        return {_hashable(decoded(k)): decoded(v) for k, v in value.get("dict", [])}
    return value


def _hashable(value):
    return value if isinstance(value, str | bytes | int | float) or value is None else repr(value)


def json_dict(value):
    """Return a dict of texts, where this text is the JSON of a dict, or None."""
    try:
        fields = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return None
    return {str(k): str(v) for k, v in fields.items()} if isinstance(fields, dict) else None
