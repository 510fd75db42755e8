"""A lesson that follows every rule."""

GOOD = """# Count the sheep

**What you'll do:** count.

**What you'll learn**
- to count

**What you need:** fingers.

**Minutes:** 10
---
## Count
---
>>> one = predict("1?", why="0 + 1")
---
>>> two = predict("2?", why="1 + 1")
---
>>> one.settle(1); two.settle(2)
---
**Your turn.** Count on.
---
**Your turn.** Count on.
---
**Your turn.** Count on.
---
**Your turn.** Count on.
---
<details><summary>Reading</summary>

- **KeyError**: the reason.
</details>
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

   <details><summary>Answer</summary>Because.</details>
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
