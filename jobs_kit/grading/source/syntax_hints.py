"""Choose the hint for a SyntaxError: a question that leads to the cause."""

SYNTAX_HINTS = (  # the first that matches
    (
        lambda message, line: any(quote in line for quote in "“”‘’"),
        "Look at the quotes in this line. Are they straight, as Python wants them, or curly?",
    ),
    (
        lambda message, line: "non-printable character" in message,
        "This line contains a special blank, copied from a web page or a text editor. Which "
        "blank is it? Delete the blanks and type them again.",
    ),
    (
        lambda message, line: line.startswith(("<<<<<<<", "=======", ">>>>>>>")),
        "Git left this mark where two versions differ. Which version do you want to keep?",
    ),
    (
        lambda message, line: line.startswith(
            (">>>", "```", "In [", "Out[", "!", "%", "$ ", "pip ")
        ),
        "Was this line copied from a shell, a notebook or a document? Which part of it is Python?",
    ),
    (
        lambda message, line: "…" in line or line.startswith(".."),
        "Python knows three dots only as `...`. Is this line left over from the starter file?",
    ),
    (
        lambda message, line: "call to 'print'" in message,
        "This is Python 2. In Python 3, print is a function: what does a call of it need?",
    ),
    (
        lambda message, line: "'await'" in message or "'async" in message,
        "Only a function that begins with `async def` can await something. Does this program "
        "need one?",
    ),
    (
        lambda message, line: message == "expected ':'",
        "Which character is missing where the caret (^) points? Lines with def, if, for or try end "
        "with it.",
    ),
    (
        lambda message, line: "indent" in message or "outside function" in message,
        "How far is this line indented? Which line above does it belong to?",
    ),
)


def hint_for_syntax(message, line):
    """Return the hint for a SyntaxError. line: the one that Python names."""
    for matches, hint in SYNTAX_HINTS:
        if matches(message, line.strip()):
            return hint
    return "Read this line and the one above it. Is a bracket or a quote still open there?"
