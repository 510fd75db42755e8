"""A lesson that follows every rule."""

GOOD = """# Count the sheep

**What you'll do:** count.

**What you'll learn**
- to count

**What you need:** fingers.

**Minutes:** 5
---
>>> one = predict("1?")
---
>>> two = predict("2?")
---
>>> three = predict("3?")
---
>>> for guess in (one, two, three): print(guess)
---
>>> one.settle(1); two.settle(2)
---
>>> three.settle(3)
---
Read it aloud, line by line: a KeyError.
---
## Recap

- one
- two
- three
- four
- five
---
## Questions to consider

1. Why?
---
## Exercise

Sleep; `just` in code is no word.
---
**Next:** dream.
"""


def notebook_of(text):
    """Return a notebook as a dict; cells end at ---, code begins with >>>."""
    kinds = {True: "code", False: "markdown"}
    return {
        "cells": [
            {"cell_type": kinds[cell.startswith(">>>")], "source": cell.removeprefix(">>> ")}
            for cell in text.strip().split("\n---\n")
        ]
    }
