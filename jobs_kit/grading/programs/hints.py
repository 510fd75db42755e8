"""Choose the hint for an exception, or for a view that failed: a question that leads to the cause."""

import builtins
import difflib
import re
import sys

from jobs_kit.grading.programs.explanations import own_frames
from jobs_kit.grading.source.project import PACKAGES
from jobs_kit.grading.source.syntax_hints import hint_for_syntax

HINTS_BY_MESSAGE = (  # part of the message of Python or a library, and its hint
    ("ellipsis", "Which argument of this line is still three dots? Which value belongs there?"),
    (
        "unexpected keyword argument",
        "Which argument names does the definition list, and which names does this line use?",
    ),
    (
        "type function is not JSON",
        "This line passes the function, not its result. What is missing after the name?",
    ),
    (
        "of type: 'function'",
        "This line passes the function, not its result. What is missing after the name?",
    ),
    (
        "'function' object is not subscriptable",
        "Which brackets call a function, and which look something up in a dict or a list?",
    ),
    (
        "'module' object is not callable",
        "A module can't be called. Which of its functions do you mean?",
    ),
)
HINTS_BY_TYPE = {
    "UnicodeDecodeError": "This line reads bytes as text (see decode_responses). Which program "
    "packed these bytes, and how?",
    "ConnectionError": "Which address does this client use, and where in your code is it set?",
    "UnboundLocalError": "Which line of this function gives the name a value? Does it run "
    "before this line?",
    "RecursionError": "Which function calls itself here? What should it call instead?",
    "SystemExit": "Which line ends the program? The service still needs it.",
    "EOFError": "There is no keyboard behind this program. Where could the value come from instead?",
    "PermissionError": "During a check, a program may only write into its own folder. What does "
    "this line open?",
    "ResponseError": "Redis refused a command. Which command does this line send, and with which "
    "arguments?",
}
# these have the same cause whichever view raises them
TYPES_IN_ANY_VIEW = ("NameError", "UnboundLocalError", "ModuleNotFoundError", "ResponseError")
HINTS_FOR_VIEWS = (  # part of the message of Flask, and its hint
    ("ended without a return", "Which line of this function returns the response to Flask?"),
    (
        "did not return a valid response",
        "Which `return` did this request reach, and what type is its value? Flask wants the body "
        "first, then the status code.",
    ),
    (
        "unexpected keyword argument",
        "Flask passes the part of the route between < and > by its name. What does your function "
        "call that argument?",
    ),
    (
        "must derive from BaseException",
        "Only exceptions can be raised. Should this line `return` its value instead?",
    ),
    ("'async' extra", "Flask alone can't run an `async def`. Does this view await anything?"),
)
LIBRARIES = {"redis": "redis-py", "hotqueue": "HotQueue", "flask": "Flask", "werkzeug": "Flask"}
# an attribute that a library asked for, and the type that it expected
TYPES_BY_ATTRIBUTE = {
    **dict.fromkeys(("items", "keys", "values", "get"), "a dict"),
    **dict.fromkeys(("encode", "split", "strip", "upper", "startswith"), "a string"),
    "decode": "bytes",
    "append": "a list",
    "dumps": "a module such as json",
    "loads": "a module such as json",
}
TYPES_IN_WORDS = {
    "str": "a string",
    "dict": "a dict",
    "list": "a list",
    "tuple": "a tuple",
    "int": "a number",
    "float": "a number",
    "bytes": "bytes",
    "NoneType": "None",
    "function": "a function",
    "module": "a module",
}
HINT_FOR_RAISE = (
    "This line raises because of the value it got. Which value is that, and which line above "
    "passed it?"
)
HINT_FOR_LINE = (
    "The line that is named last raised this exception. Which values does it work with, and "
    "which of them is a surprise? Print them."
)
HIDES = "hides the library"  # part of the message of sandbox/child/inside.py


def hint_for(error):
    """Return the hint for an exception, or None.

    error: the event "error" of a program (see sandbox/child/report.py), or None.
    """
    error = error or {}
    message = str(error.get("message"))
    for part, hint in HINTS_BY_MESSAGE:
        if part in message:
            return hint
    choose = HINT_CHOOSERS.get(error.get("type"))
    return choose(error, message) if choose else HINTS_BY_TYPE.get(error.get("type"))


def hint_for_any(error):
    """Return the hint for an exception, or a general one where there is none; None for None."""
    if not error:
        return None
    line = (own_frames(error.get("frames", [])) or [{}])[-1].get("text", "")
    return hint_for(error) or (HINT_FOR_RAISE if line.startswith("raise ") else HINT_FOR_LINE)


def hint_for_not_started(source, file):
    """Return a question about a program of a Source that ended before it asked a queue."""
    if source.has_worker(file):
        return "Defining a worker does not start it. Which line of yours calls it?"
    return (
        f"{file} has no worker: no function with the decorator of a queue, and no loop. Which line "
        "takes a message off the queue?"
    )


def hint_for_view(response):
    """Return the hint for a Response that is a failure, or None."""
    for part, hint in HINTS_FOR_VIEWS:
        if part in response.outcome_text:
            return hint
    # the line with the type and the message of an exception
    raised = re.search(r"^(?:[\w.]+[.])?(\w+): (.*)$", response.outcome_text, re.MULTILINE)
    if raised and raised[1] == "AttributeError" and raised[2].startswith("module '"):
        return _hint_for_attribute({"files": response.files}, raised[2])
    if raised and raised[1] in TYPES_IN_ANY_VIEW:
        name = re.search(r"'([^']*)'", raised[2])
        return hint_for({"type": raised[1], "message": raised[2], "name": name and name[1]})
    return None


def _hint_for_name(error, message):
    name = str(error.get("name"))
    if name in ("_name_", "_main_", "_file_"):
        return f"How many underscores are on each side of _{name}_?"
    if function := _worker_called_with(error, name):
        return (
            f"The decorator passes {name} to {function}() for each message. What is left between "
            "the brackets when you call it without arguments?"
        )
    return _hint_for_undefined(name, error)


def _worker_called_with(error, name):
    """Return the worker that the line calls with an undefined name: execute_job(jid); or None."""
    line = (error.get("frames") or [{}])[-1].get("text", "")
    call = re.fullmatch(r"(\w+)\((.*)\)", line)
    called = call and call[1] in error.get("workers", []) and re.search(rf"\b{name}\b", call[2])
    return call[1] if called else None


def _hint_for_undefined(name, error):
    """Return the hint for an undefined name. error: see hint_for()."""
    if name in sys.stdlib_module_names | PACKAGES | set(error.get("files", [])):
        return f"`{name}` is a module. Which line of this file imports it?"
    if similar := _similar_name(name, error.get("names", [])):
        return f"There is no name `{name}` here, but there is `{similar}`. Which one do you mean?"
    return (
        f"There is no name `{name}` at this line. Which line of this file should define or import "
        "it, and does that line run before?"
    )


def _hint_for_missing(error, message):
    name = error.get("name")
    if similar := difflib.get_close_matches(name, error.get("names", []), n=1, cutoff=0.8):
        return (
            f"There is no `{name}`, but there is `{similar[0]}`. Which of the two is in the task?"
        )
    return f"Which line defines `{name}`? A definition at the left margin belongs to the module."


def _similar_name(name, names):
    """Return one of these names, or of Python's own, that is spelled nearly like a name; or None."""
    similar = difflib.get_close_matches(name, names, n=1)
    # of Python's own, many are like any short name
    own = [builtin for builtin in dir(builtins) if len(builtin) > 3]
    similar += difflib.get_close_matches(name, own, n=1, cutoff=0.8)
    return similar[0] if similar else None


def _hint_for_attribute(error, message):
    missing = re.match(r"(.*)'([\w.]+)'.* has no attribute '(\w+)'", message)
    own = (error.get("frames") or [{}])[-1].get("text")
    if missing and own and missing[3] not in own:
        kind = f"the class {missing[2]}" if missing[1] == "type object " else _in_words(missing[2])
        library = LIBRARIES.get(error.get("library"), "a library")
        return _hint_for_library_argument(library, kind, missing[3])
    if missing and missing[1] == "module " and missing[2] in error.get("files", []):
        return _hint_for_missing_in(missing[2], missing[3], error)
    similar = missing and difflib.get_close_matches(missing[3], error.get("names", []), n=1)
    if similar:
        return f"There is no `{missing[3]}` here, but there is `{similar[0]}`. Which do you mean?"
    return "What is the object to the left of the dot, and which line made it?"


def _hint_for_library_argument(library, kind, attribute):
    """Return the hint for a value of a wrong type that a line has passed to a library."""
    expected = TYPES_BY_ATTRIBUTE.get(attribute)
    if expected:
        return (
            f"{library} expected {expected} and got {kind}: check the arguments of this line and "
            "their order."
        )
    return f"{library} got {kind} and can't use it. Which argument of this line is that?"


def _in_words(kind):
    """Return the name of a type as words: "str" is "a string"."""
    return TYPES_IN_WORDS.get(kind, f"a {kind}")


def _hint_for_data(error, message):
    kind = re.search(r"of type: '(\w+)'", message)
    if not kind:
        return "Which arguments does redis-py want here, and which ones does this line pass?"
    return (
        f"Redis stores strings, bytes and numbers, and redis-py got {_in_words(kind[1])}. "
        "Which argument of this line is that?"
    )


def _hint_for_module(error, message):
    name = str(error.get("name"))
    if name.endswith(".py"):
        return "An import names the module. What is left of the file's name without its ending?"
    if name.startswith("jobs_kit"):
        return "Your files can't import the kit. Which file in your own folder has this name?"
    if "is not a package" in message:
        return (
            f"`import` takes modules. Is {name.rpartition('.')[2]} a module, or a name inside "
            "one, for `from … import …`?"
        )
    known = [*error.get("files", []), *PACKAGES, *sys.stdlib_module_names]
    missing = f"The package `{name}` is not installed where your answer is checked"
    # ujson is a package, though its name is nearly that of a module of Python
    if similar := difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.85):
        return (
            f"There is no module `{name}`, but there is `{similar[0]}`. Which one do you mean? "
            f"{missing}."
        )
    return f"{missing}, and your folder has no file {name}.py. Can you do without it?"


def _hint_for_import(error, message):
    if HIDES in message:
        return (
            f"Python finds your file first, so `import {error.get('name')}` never reaches the "
            "library. What else could your file be called?"
        )
    if "relative import" in message:
        return "The dot before the module means: from the same package. Is your folder a package?"
    missing = re.match(r"cannot import name '(\w+)' from ([\w ]*)'(\w+)'", message)
    if not missing:
        return "Does the module that you import from define this name, with the same spelling?"
    if missing[2]:
        return (
            f"While Python is still busy with the imports of {missing[3]}.py, none of its names is "
            "defined yet. Which of your files import each other?"
        )
    return _hint_for_missing_in(missing[3], missing[1], error)


def _hint_for_missing_in(module, name, error):
    """Return the hint for a name that a module does not define. error: see hint_for()."""
    similar = difflib.get_close_matches(name, error.get("names", []), n=1, cutoff=0.8)
    there_is = f", but it defines `{similar[0]}`" if similar else ""
    file = f"{module}.py" if module in error.get("files", []) else module
    return f"{file} defines no `{name}`{there_is}. Which name does this line need?"


def _hint_for_type(error, message):
    if "argument" in message:
        return "Which arguments does the definition take, and which ones does this line pass?"
    return "What type is each value in this line? Print them with type(…)."


def _hint_for_key(error, message):
    line = (own_frames(error.get("frames", [])) or [{}])[-1].get("text", "")
    if line.startswith("raise "):
        return HINT_FOR_RAISE
    return "Which keys does it have at that moment? Print them."


def _hint_for_assertion(error, message):
    if "endpoint" in message:
        return "Flask knows a view by the name of its function. Which two views share a name?"
    return None


def _hint_for_syntax(error, message):
    line = error.get("unread")
    return hint_for_syntax(message, str(line)) if line is not None else None


HINT_CHOOSERS = {
    **dict.fromkeys(("SyntaxError", "IndentationError", "TabError"), _hint_for_syntax),
    "MissingError": _hint_for_missing,
    "NameError": _hint_for_name,
    "ModuleNotFoundError": _hint_for_module,
    "ImportError": _hint_for_import,
    "AttributeError": _hint_for_attribute,
    "DataError": _hint_for_data,
    "TypeError": _hint_for_type,
    "KeyError": _hint_for_key,
    "AssertionError": _hint_for_assertion,
}
