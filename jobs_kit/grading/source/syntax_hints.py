"""Ask about the cause of a SyntaxError."""

SYNTAX_HINTS = (  # the first that matches
    (
        lambda message, line: any(quote in line for quote in "“”‘’"),
        "Look at the quotes: are they the straight ones that Python knows, or curly ones?",
    ),
    (
        lambda message, line: "non-printable character" in message,
        "A blank of this line is none that Python knows; it comes from a web page or a text "
        "editor. Which key of yours makes one that it knows?",
    ),
    (
        lambda message, line: line.startswith(("<<<<<<<", "=======", ">>>>>>>")),
        "Git has left this mark where two versions differ. Which of them should stay?",
    ),
    (
        lambda message, line: line.startswith(
            (">>>", "```", "In [", "Out[", "!", "%", "$ ", "pip ")
        ),
        "Was this line copied together with what stood around it, in a shell, a notebook or a "
        "text? What of it is Python?",
    ),
    (
        lambda message, line: "…" in line or line.startswith(".."),
        "Three dots as in `...` are Python; is this line a left-over of the hand-out?",
    ),
    (
        lambda message, line: "call to 'print'" in message,
        "Which version of Python was this line written for, and what is print since Python 3?",
    ),
    (
        lambda message, line: "'await'" in message or "'async" in message,
        "Only a function that begins with `async def` can await something. Has this program one, "
        "and does it need one?",
    ),
    (
        lambda message, line: message == "expected ':'",
        "With which character does the first line of a def, an if, a for or a try end?",
    ),
    (
        lambda message, line: "indent" in message or "outside function" in message,
        "How far is this line indented, and to which line above it does it belong?",
    ),
)


def hint_for_syntax(message, line):
    """Return a question that leads from a SyntaxError's message and its line to the cause."""
    for matches, hint in SYNTAX_HINTS:
        if matches(message, line.strip()):
            return hint
    return "Read the line that Python names and the one above it: is something open there?"
