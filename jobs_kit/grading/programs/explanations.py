"""Describe how a student's program ended: its exit, its output, its exceptions."""

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.text import short, without_folder


def ending(process, waits=False):
    """Describe how a process ended, with the exception if there was one, or what it does instead.

    waits (bool): whether it is blocked on a queue.
    """
    if process.error:
        return explain(process.error)
    if process.events("time_limit"):
        stack = own_frames((process.events("stack") or [[]])[-1])
        return "\n".join([process.events("time_limit")[0], *map(frame_text, stack[-3:])])
    if waits and process.events("serving"):
        return "it does not return: it serves"
    if waits:
        return "it does not return: it waits for a message"
    if process.running:
        return "it is still running"
    output = short(process.output.strip()[-500:], 500)
    code = f"the program ended with exit code {process.exit_code}"
    return f"{code}; it printed\n{output}" if output else code


def printed(process):
    """Return a program's output; of a traceback only the lines in its own files."""
    before, traceback, _ = process.output.partition("Traceback (most recent call last):")
    output = short(before.strip(), 1000) or "(nothing)"
    if not traceback:
        return output
    end = ending(process) if process.error else own_traceback(process.output)
    return f"{output}\n{end}"


def own_frames(frames):
    """Return the frames, as child/report.py reports them, that are in files of the student."""
    return [frame for frame in frames if frame.get("file") not in _given()]


def _given():
    """Return the names of all given files: a traceback does not name its exercise."""
    return {name for exercise in all_exercises().values() for name in exercise.given}


def is_of_given_file(error):
    """Tell whether an exception was raised in a file that students don't change."""
    return (error.get("frames") or [{}])[-1].get("file") in _given()


def explain(error):
    """Describe an exception: its type, its message, the student's own lines."""
    if error.get("type") == "MissingError":  # the judge's own, see child/report.py
        return error["message"]
    lines = [f"{error.get('type')}: {error.get('message')}"]
    lines += map(frame_text, own_frames(error.get("frames", []))[-4:])
    return without_folder("\n".join(lines))


def own_traceback(output):
    """Return the last lines of a traceback in a program's output that name its own files."""
    lines = output.strip().splitlines()
    start = max(i for i, line in enumerate(lines) if "Traceback" in line)
    kept, last = [], ""
    for number, line in enumerate(lines[start + 1 :], start + 1):
        path = line.split('"')[1] if line.startswith('  File "') else "<"
        if path.rpartition("/")[2] in _given():
            continue
        if "/answer/" in path or not path.startswith(("/", "<")):
            code = lines[number + 1].strip() if number + 1 < len(lines) else ""
            file, rest = path.rpartition("/answer/")[2], line.partition('", ')[2]
            kept.append(f"{file}, {rest}:  {code}")
        elif line and not line.startswith(" "):
            last = line
            break
    return without_folder("\n".join([last, *kept[-3:]]))


def frame_text(frame):
    """Return one frame of a stack as a line."""
    return f"{frame['file']}, line {frame['line']}, in {frame['name']}:  {frame['text']}"
