"""Ask about the cause of an exception, or of a failure of a view."""

import re

from jobs_kit.grading.programs.explanations import own_frames

HINTS_BY_MESSAGE = (  # part of the message of Python or a library, and what to ask
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
HINTS_BY_TYPE = {
    "UnicodeDecodeError": "Which bytes are read as text here? Who packs them, and who asks for "
    "text (decode_responses)?",
    "DataError": "Redis stores text, bytes and numbers. Which of the arguments here is none?",
    "ConnectionError": "Which address does this client use, and who told it?",
    "UnboundLocalError": "Which line of this function gives the name a value, and does it run "
    "before this one?",
    "RecursionError": "Which function calls itself here, and what should it call instead?",
    "SystemExit": "Which line ends the program, and who else still needs the program?",
    "EOFError": "Nobody sits at the keyboard of a program like this: from where could the "
    "value come instead?",
    "PermissionError": "While it is checked, a program writes into its own folder alone. "
    "What does this line need, and has it to be there?",
    "ResponseError": "Which command did Redis refuse, and what did this line hand it?",
}
# these have the same cause whichever view raises them
TYPES_IN_ANY_VIEW = ("NameError", "UnboundLocalError", "ModuleNotFoundError", "ResponseError")
HINTS_FOR_VIEWS = (  # part of the message of Flask, and what to ask
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


def hint_for(error):
    """Return a question that leads from an exception to its cause, or None.

    error: the event "error" of a program (see sandbox/child/report.py), or None.
    """
    error = error or {}
    message = str(error.get("message"))
    for part, hint in HINTS_BY_MESSAGE:
        if part in message:
            return hint
    choose = HINT_CHOOSERS.get(error.get("type"))
    return choose(error, message) if choose else HINTS_BY_TYPE.get(error.get("type"))


def hint_for_view(response):
    """Return a question that leads from a Response that is a failure to its cause, or None."""
    for part, hint in HINTS_FOR_VIEWS:
        if part in response.outcome_text:
            return hint
    # the line with the type and the message of an exception
    raised = re.search(r"^(?:[\w.]+[.])?(\w+): (.*)$", response.outcome_text, re.MULTILINE)
    if raised and raised[1] in TYPES_IN_ANY_VIEW:
        name = re.search(r"'([^']*)'", raised[2])
        return hint_for({"type": raised[1], "message": raised[2], "name": name and name[1]})
    return None


def _hint_for_name(error, message):
    name = str(error.get("name"))
    if name in ("_name_", "_main_", "_file_"):
        return f"How many underscores has _{name}_ on each side?"
    return f"Where does {name} come from: an import, a definition, one with underscore?"


def _hint_for_attribute(error, message):
    missing = re.search(r"attribute '(\w+)'", message)
    own = (error.get("frames") or [{}])[-1].get("text")
    if missing and own and missing[1] not in own:
        return (
            f"No dot of this line asks for {missing[1]}: a library does. What did you hand it, "
            "and where?"
        )
    return "What is the object on the left of the dot at this line, and why?"


def _hint_for_module(error, message):
    name = str(error.get("name"))
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


def _hint_for_hidden_library(error, message):
    return (
        f"Which file does `import {error.get('name')}` bring, here and in every package that "
        "needs the library? What else could yours be called?"
    )


def _hint_for_import(error, message):
    if "relative import" in message:
        return "What does the dot in front of a module mean, and is your folder a package?"
    return "Does the module that you import from define this name, spelled like this?"


def _hint_for_type(error, message):
    if "argument" in message:
        return "How many arguments does the definition take, and which kinds?"
    return (
        "Of which type is each thing in this line, and what can be done with such a one? "
        "Print type(…)."
    )


def _hint_for_key(error, message):
    line = (own_frames(error.get("frames", [])) or [{}])[-1].get("text", "")
    if line.startswith("raise "):
        return (
            "This line raises when it gets what it does not know. Which value did it get, "
            "and which line above handed it in?"
        )
    return "Which keys are really there at that moment? Print them."


def _hint_for_assertion(error, message):
    if "endpoint" in message:
        return "Flask knows a view by its function. Which name have two of them?"
    return None


HINT_CHOOSERS = {
    "NameError": _hint_for_name,
    "ModuleNotFoundError": _hint_for_module,
    "HiddenLibraryError": _hint_for_hidden_library,
    "ImportError": _hint_for_import,
    "AttributeError": _hint_for_attribute,
    "TypeError": _hint_for_type,
    "KeyError": _hint_for_key,
    "AssertionError": _hint_for_assertion,
}
