"""Read jobs, ids and messages in whatever form students give them; nothing of it is run."""

import contextlib
import json
import pickletools
import re

UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}(?![0-9a-f])")
ID_NAME = re.compile(r"(job|task)?[ _-]?(id|jid|uuid|guid)", re.IGNORECASE)  # of a field
STRING_PICKLE_STEPS = {"PROTO", "FRAME", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "STOP"}
STRING_PICKLE_STEPS |= {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}


def jid_of(value):
    """Return the id in what add_job() returned, a string, a dict or an object; None if it has none."""
    return next(iter(ids_in(value)), None)


def ids_in(value):
    """Return every text in a value that may be the id of a job, the likeliest first.

    First those in a field such as `id` or `job_uuid`, then those that look like one, then texts
    that are all there is, alone or in a list.
    """
    named, whole, alone, left = [], [], [], [value]
    while left:
        part = _unpacked(left.pop(0))
        if isinstance(part, dict):
            names = sorted(filter(is_id_name, part), key=len)
            named += [text for name in names if _is_text(text := _unpacked(part[name]))]
            values = map(_as_text, (*part, *part.values()))
            left += [value for value in values if not _is_text(value) or _is_json_or_id(value)]
        elif isinstance(part, list | tuple):
            left += part
        elif _is_text(part):
            (whole if UUID.fullmatch(part) else alone).append(part)
    return [*named, *whole, *alone]


def is_id_name(name):
    """Tell whether a field of this name holds an id: id, jid, job_id, uuid, jobId."""
    return bool(ID_NAME.fullmatch(str(name)))


def _unpacked(value):
    """Return a value without the bytes or the JSON that it is packed in."""
    value = _as_text(value)
    if isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            inner = json.loads(value)
            return value if isinstance(inner, int | float) else inner  # an id may be a number
    return value


def _as_text(value):
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _is_text(value):
    return isinstance(value, str) and value != ""


def _is_json_or_id(text):
    return not _is_text(_unpacked(text)) or bool(UUID.fullmatch(text))


def read_message(message, serializer):
    """Return what a message (bytes) holds, by the name of its serializer; None if unreadable.

    Of a pickle only its strings are read, because loading it would run it: the string, or a list.
    """
    with contextlib.suppress(ValueError, RecursionError):
        if "pickle" not in (serializer or "").lower():
            return json.loads(message)
        steps = list(pickletools.genops(message))
        strings = [argument for _, argument, _ in steps if isinstance(argument, str)]
        plain = all(step.name in STRING_PICKLE_STEPS for step, _, _ in steps)
        return strings[0] if plain and len(strings) == 1 else strings
    return None if serializer else message.decode(errors="replace")


def dicts_in(value, in_texts=True):
    """Return every dict within a JSON value.

    in_texts: whether to look into strings that are JSON themselves.
    """
    dicts, left = [], [value]
    while left:
        part = left.pop(0)
        if isinstance(part, str) and in_texts:
            with contextlib.suppress(ValueError, RecursionError):
                left.append(json.loads(part))
        elif isinstance(part, dict):
            dicts.append(part)
            left += part.values()
        elif isinstance(part, list):
            left += part
    return dicts


def tells_something(value, known):
    """Tell whether a JSON value holds, at whatever depth, a string that is not known, or a number.

    A bool is a number. A value without a name, such as a number alone, doesn't count.
    """
    if isinstance(value, dict):
        values = value.values()
        return any(isinstance(v, int | float) or tells_something(v, known) for v in values)
    if isinstance(value, list):
        return any(tells_something(part, known) for part in value)
    return isinstance(value, str) and value not in known | {""}


def other_id(message, jid):
    """Return a message (bytes) whose id is replaced by one that no job has, and that id.

    The new id is as long as the old one, because a pickled string states its length.
    """
    unknown = re.sub(r"\w", "0", jid)
    return message.replace(jid.encode(), unknown.encode()), unknown


def encoded(value):
    """Return an argument as JSON can carry it to the fork server."""
    return {"bytes": value.decode("latin-1")} if isinstance(value, bytes) else value


def decoded(value):
    """Return the value that child/report.py has described, see its _plain()."""
    if isinstance(value, list):
        return list(map(decoded, value))
    if isinstance(value, dict) and "bytes" in value:
        return value["bytes"].encode("latin-1")
    if isinstance(value, dict):
        return {_hashable(decoded(k)): decoded(v) for k, v in value.get("dict", [])}
    return value


def _hashable(value):
    return value if isinstance(value, str | bytes | int | float) or value is None else repr(value)


def json_dict(value):
    """Return a dict of strings if this text is the JSON of a dict, else None."""
    try:
        fields = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return None
    return {str(k): str(v) for k, v in fields.items()} if isinstance(fields, dict) else None
