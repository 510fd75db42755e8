"""What does IPython print for that? Turns a kernel's messages into the text of a terminal."""

import re

from jobs_kit.lab.transcript import without_colour

GREEN, RED, GREY, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[90m", "\x1b[0m"

_ECHO = re.compile(r"^(In \[\d+\]| +\.\.\.): ?.*\n?", re.MULTILINE)
# where the kernel itself was when a Ctrl-C came teaches nothing
_OWN_FRAME = re.compile(r"File \S*[/\\]ipykernel[/\\]")
_RULE = re.compile(r"^(\x1b\[[\d;]*m)*-{40,}(\x1b\[[\d;]*m)*\n")


def text_of(message):
    """Return (text, whole_lines) for a message that prints something, else None.

    whole_lines is False for a stream, which may stop in the middle of a line.
    """
    printed = _PRINTED.get(message["msg_type"])
    return printed and printed(message["content"])


def note(text):
    """Return a remark by the shell itself, set apart from what Python printed."""
    return f"{GREY}[{text}]{PLAIN}"


def without_inputs(text):
    """Return a transcript without the lines that repeat what was typed."""
    return _ECHO.sub("", text)


def _input(content):
    number, code = content["execution_count"], content["code"].strip("\n")
    continued = f"\n{GREEN}{'...:':>{len(f'In [{number}]:')}}{PLAIN} "
    blank = "\n" if number > 1 else ""
    return f"{blank}{GREEN}In [{number}]:{PLAIN} " + code.replace("\n", continued), True


def _result(content):
    text = content["data"].get("text/plain", "")
    newline = "\n" if "\n" in text else ""
    return f"{RED}Out[{content['execution_count']}]:{PLAIN} {newline}{text}", True


def _error(content):
    if content["ename"] == "StdinNotImplementedError":  # its traceback shows Jupyter's inside
        return f"{RED}input() can't ask you here:{PLAIN} write the answer into the code", True
    frames = [part for part in content["traceback"] if not _OWN_FRAME.match(without_colour(part))]
    text = "\n".join(frames) or f"{content['ename']}: {content['evalue']}"
    # made for 80 columns: the rule above it and the gap in its first line break a narrow pane
    text = re.sub(r" {3,}(?=Traceback)", "  ", _RULE.sub("", text))
    return text, True


_PRINTED = {
    "execute_input": _input,
    "stream": lambda content: (content["text"], False),
    "execute_result": _result,
    "display_data": lambda content: (content["data"].get("text/plain", ""), True),
    "error": _error,
}
