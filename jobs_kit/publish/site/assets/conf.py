"""Sphinx's settings for the site. Sphinx runs this file in the site's source folder."""

import json
from pathlib import Path

REPOSITORY = json.loads(Path("settings.json").read_text("utf-8"))["repository"]

project = html_title = "jobs-kit"
author = "the jobs-kit contributors"
project_copyright = "the jobs-kit contributors. Text: CC BY 4.0; code: BSD 3-Clause"
extensions = ["myst_nb", "sphinx_copybutton"]
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # a cell may show what is no Python yet

nb_execution_mode = "off"  # the pages have run
nb_ipywidgets_js = {}  # it would load scripts from elsewhere
nb_number_source_lines = False
myst_heading_anchors = 6
myst_enable_extensions = []

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_sourcelink_suffix = ""
html_copy_source = False
html_use_index = False  # of Python names, of which there are none
html_show_sphinx = False
html_theme_options = {
    "navbar_persistent": [],  # the side bar has a search button
    "use_download_button": False,
    "use_fullscreen_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    **({"repository_url": REPOSITORY, "use_repository_button": True} if REPOSITORY else {}),
}
copybutton_selector = "div.cell_input div.highlight pre, div.highlight:not(.cell_output *) pre"
