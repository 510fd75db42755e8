"""The text that IPython would print in a terminal for a kernel's messages."""

import re

from jobs_kit.lab.transcript import strip_colour

GREEN, RED, GREY, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[90m", "\x1b[0m"

_INPUT_LINE = re.compile(r"^(In \[\d+\]| +\.\.\.): ?.*\n?", re.MULTILINE)
# After a Ctrl-C the traceback begins with frames of the kernel itself, which only distract.
_KERNEL_FRAME = re.compile(r"File \S*[/\\]ipykernel[/\\]")
_RULE = re.compile(r"^(\x1b\[[\d;]*m)*-{40,}(\x1b\[[\d;]*m)*\n")


def format_message(message):
    """Return (text, whole_lines) for a message that prints something, else None.

    whole_lines is False for a stream, which may stop in the middle of a line.
    """
    format_content = _FORMATS.get(message["msg_type"])
    return format_content and format_content(message["content"])


def format_remark(text):
    """Return a remark by the shell itself, in grey and brackets to set it apart from output."""
    return f"{GREY}[{text}]{PLAIN}"


def drop_inputs(text):
    """Return a transcript without its input lines."""
    return _INPUT_LINE.sub("", text)


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
    if content["ename"] == "StdinNotImplementedError":  # its traceback shows only Jupyter's code
        return f"{RED}input() can't ask you here:{PLAIN} write the answer into the code", True
    frames = [part for part in content["traceback"] if not _KERNEL_FRAME.match(strip_colour(part))]
    text = "\n".join(frames) or f"{content['ename']}: {content['evalue']}"
    # IPython formats for 80 columns; the rule and the gap in the first line break a narrow pane.
    text = re.sub(r" {3,}(?=Traceback)", "  ", _RULE.sub("", text))
    return text, True


_FORMATS = {
    "execute_input": _input,
    "stream": lambda content: (content["text"], False),
    "execute_result": _result,
    "display_data": lambda content: (content["data"].get("text/plain", ""), True),
    "error": _error,
}
