"""Load the templates of the pages, in batch/pages/."""

from pathlib import Path

import jinja2

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "pages"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
