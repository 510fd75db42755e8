"""How is said what a student's program did? Its end, its output, its exceptions, in words."""

import re

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.text import short, without_folder


def ending(process, waits=False):
    """Return in words how a process ended, or that it waits, and why if it was an exception."""
    error = (process.events("error") or [None])[-1]
    if error:
        return explain(error)
    if process.events("time_limit"):
        stack = own_frames((process.events("stack") or [[]])[-1])
        return "\n".join([process.events("time_limit")[0], *map(frame_text, stack[-3:])])
    if waits and process.events("serving"):
        return "it does not come back: it serves"
    if waits:
        return "it does not come back: it waits for a message"
    if process.running:
        return "it still runs"
    said = short(process.output.strip()[-500:], 500)
    return f"the program ended with exit code {process.exit_code}" + (
        said and f"; it printed\n{said}"
    )


def printed(process):
    """Return what a program printed, a traceback cut down to its own files."""
    before, found, _ = process.output.partition("Traceback (most recent call last):")
    said = short(before.strip(), 1000) or "nothing"
    if found:
        said += "\n" + (
            ending(process) if process.events("error") else own_traceback(process.output)
        )
    return said


def own_frames(frames):
    """Return those frames that stand in files which the student has written."""
    return [frame for frame in frames if frame.get("file") not in _given()]


def _given():
    """Return the names of all given files: a traceback does not name its exercise."""
    return {name for exercise in all_exercises().values() for name in exercise.given}


def explain(error):
    """Return an exception as text: its kind, its message, the student's own lines."""
    lines = [f"{error.get('type')}: {error.get('message')}"]
    lines += map(frame_text, own_frames(error.get("frames", []))[-4:])
    return without_folder("\n".join(lines))


def hint_for(error):
    """Return a question that leads from an exception to its cause, or None."""
    error = error or {}
    kind, name, message = error.get("type"), error.get("name"), str(error.get("message"))
    line = (own_frames(error.get("frames", [])) or [{}])[-1].get("text", "")
    for said, hint in MESSAGES:
        if said in message:
            return hint
    return {
        "NameError": _hint_for_name(str(name)),
        "ModuleNotFoundError": _hint_for_module(str(name), message),
        "HiddenLibraryError": f"Which file does `import {name}` bring, here and in every package that "
        "needs the library? What else could yours be called?",
        "ImportError": "What does the dot in front of a module mean, and is your folder a package?"
        if "relative import" in message
        else "Does the module that you import from define this name, spelled like this?",
        "AttributeError": _hint_for_attribute(error),
        "TypeError": "How many arguments does the definition take, and which kinds?"
        if "argument" in message
        else "Of which type is each thing in this line, and what can be done with such a one? "
        "Print type(…).",
        "UnicodeDecodeError": "Which bytes are read as text here? Who packs them, and who asks for "
        "text (decode_responses)?",
        "KeyError": "This line raises when it gets what it does not know. Which value did it get, "
        "and which line above handed it in?"
        if line.startswith("raise ")
        else "Which keys are really there at that moment? Print them.",
        "DataError": "Redis stores text, bytes and numbers. Which of the arguments here is none?",
        "ConnectionError": "Which address does this client use, and who told it?",
        "UnboundLocalError": "Which line of this function gives the name a value, and does it run "
        "before this one?",
        "RecursionError": "Which function calls itself here, and what should it call instead?",
        "SystemExit": "Which line ends the program, and who else still needs the program?",
        "EOFError": "Nobody sits at the keyboard of a program like this: from where could the "
        "value come instead?",
        "AssertionError": "Flask knows a view by its function. Which name have two of them?"
        if "endpoint" in message
        else None,
        "PermissionError": "While it is checked, a program writes into its own folder alone. "
        "What does this line need, and has it to be there?",
        "ResponseError": "Which command did Redis refuse, and what did this line hand it?",
    }.get(kind)


MESSAGES = (  # what Python or a library says -> what to ask
    ("ellipsis", "Where do three dots still stand for a value? What is wanted there?"),
    (
        "unexpected keyword argument",
        "Under which names does the definition take its arguments, and under which does this line "
        "hand them in?",
    ),
    (
        "type function is not JSON",
        "A function's name alone is the function. What makes Python call it?",
    ),
    (
        "of type: 'function'",
        "A function's name alone is the function. What makes Python call it?",
    ),
    (
        "'function' object is not subscriptable",
        "Which brackets call a function, and which look something up in a dict or a list?",
    ),
    ("'module' object is not callable", "A module only holds functions. Which of them is meant?"),
)


def hint_for_view(response):
    """Return a question that leads from what Flask says of a view to its cause, or None."""
    for said, hint in VIEWS:
        if said in response.outcome_text:
            return hint
    # the line that names an exception, and then what it says of a name
    raised = re.search(r"^(?:[\w.]+[.])?(\w+): (.*)$", response.outcome_text, re.MULTILINE)
    if raised and raised[1] in OF_ANY_VIEW:
        name = re.search(r"'([^']*)'", raised[2])
        return hint_for({"type": raised[1], "message": raised[2], "name": name and name[1]})
    return None


# what has the same cause in whatever view it is raised
OF_ANY_VIEW = ("NameError", "UnboundLocalError", "ModuleNotFoundError", "ResponseError")
VIEWS = (  # what Flask says -> what to ask
    ("ended without a return", "Which line of this function gives its answer to Flask?"),
    (
        "did not return a valid response",
        "What stands behind `return` on this way through your function, and of which type is it? "
        "First the body, then the status code.",
    ),
    (
        "unexpected keyword argument",
        "Flask hands in what stands between < and > in the route, by its name. What does your "
        "function call it?",
    ),
    ("must derive from BaseException", "What can be raised, and what has to be returned instead?"),
    ("'async' extra", "Flask alone runs no `async def`. Is there anything to await in this view?"),
)


def _hint_for_name(name):
    if name in ("_name_", "_main_", "_file_"):
        return f"How many underscores has _{name}_ on each side?"
    return f"Where does {name} come from: an import, a definition, one with underscore?"


def _hint_for_attribute(error):
    missing = re.search(r"attribute '(\w+)'", str(error.get("message")))
    own = (error.get("frames") or [{}])[-1].get("text")
    if missing and own and missing[1] not in own:
        return (
            f"No dot of this line asks for {missing[1]}: a library does. What did you hand it, "
            "and where?"
        )
    return "What is the object on the left of the dot at this line, and why?"


def _hint_for_module(name, message):
    if name.endswith(".py"):
        return "What is a file called in an import, and what in the folder?"
    if name.startswith("jobs_kit"):
        return "Which file of your own folder has what this line wants?"
    if "is not a package" in message:
        return (
            f"`import` brings modules. Is {name.rpartition('.')[2]} a module, or a name inside of "
            f"one, which `from … import …` brings?"
        )
    return f"Is there a file or a package named {name}?"


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
    return f"{frame['file']}, line {frame['line']}, in {frame['name']}:  {frame['text']}"
