"""Hold the player's scripts and styles, and write a page that plays a recording."""

import html
import json
from pathlib import Path

from jobs_kit.queue_watch.player.text import as_svg

HERE = Path(__file__).parent
SCRIPTS = ("player.js", "parts.js", "board.js")
SCRIPT = "\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS)
PANE_STYLE = (HERE / "pane.css").read_text("utf-8")  # the frame and the colours, a shell's, too
STYLE = PANE_STYLE + (HERE / "board.css").read_text("utf-8")

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
body {{ margin: 16px; font-family: system-ui, sans-serif; }}
html[theme="dark"] {{
  --jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-border-color1: #616161;
  --jp-content-font-color1: #fff; --jp-content-font-color2: #bdbdbd; --jp-brand-color1: #64b5f6;
  background: #111; color-scheme: dark;
}}
</style>
</head>
<body>
<div id="board"><noscript>{svg}</noscript></div>
<script type="module">
const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const follow = () => root.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", follow);
follow();
{script}
const traits = {traits};
const model = {{ get: (name) => traits[name], on() {{}}, off() {{}}, send() {{}} }};
render({{ model, el: document.getElementById("board") }});
</script>
</body>
</html>
"""


def page_of(title, recording):
    """Return the text of an HTML page that plays a Recording by itself."""
    traits = json.dumps(replay_traits(title, recording), ensure_ascii=False)
    return PAGE.format(
        title=html.escape(title),
        style=STYLE,
        script=SCRIPT,
        traits=traits.replace("<", "\\u003c"),
        svg=as_svg(recording.now),
    )


def replay_traits(title, recording):
    """Return the traits of a page that plays a recording."""
    with recording.lock:
        whole = {"start": recording.start, "events": recording.events}
        return {
            "title": title,
            "state": "recorded",
            "picture": recording.start,
            "news": {},
            "recording": json.loads(json.dumps(whole)),
            "controls": {},
            "notice": "",
        }
