"""Make the lines that the worker prints."""


def line_of(item):
    """Return the line for an item."""
    return f“{item}”
