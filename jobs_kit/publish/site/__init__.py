"""The lessons as a website, which `make site` builds.

notebook_runs.py runs each page in a kernel, with widget_states.py inside that kernel; static_outputs.py
turns widgets into HTML that needs no kernel; source_folder.py writes what Sphinx reads; built_pages.py
and browser_check.py look at what Sphinx has built. assets/ is copied to the site as it is.
"""
