"""Hold the player's scripts and styles, and write pages that play recordings by themselves.

    page_of([(title, recording), ...])      a page that asks nothing of any server
    players_of(recordings), START, STYLE    its parts, for a page that shows more than that

A recording is a dict, as Recording.as_dict() returns it.
"""

import base64
import hashlib
import html
import json
from pathlib import Path

from jobs_kit.queue_watch.player.text import as_svg
from jobs_kit.queue_watch.recording import Recording
from jobs_kit.queue_watch.story import story_lines

HERE = Path(__file__).parent
SCRIPTS = ("player.js", "parts.js", "board.js")
SCRIPT = "\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS)
PANE_STYLE = (HERE / "pane.css").read_text("utf-8")  # the frame and the colours, a shell's, too
STYLE = PANE_STYLE + (HERE / "board.css").read_text("utf-8")
DARK = """
html[theme="dark"] .jk-pane {
  --jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-border-color1: #616161;
  --jp-content-font-color1: #fff; --jp-content-font-color2: #bdbdbd; --jp-brand-color1: #64b5f6;
  color-scheme: dark;
}
"""
START = f"""
{SCRIPT}
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", follow);
follow();
for (const place of document.querySelectorAll(".jk-player")) {{
  const traits = JSON.parse(place.querySelector("script").textContent);
  const model = {{ get: (name) => traits[name], on() {{}}, off() {{}}, send() {{}} }};
  const start = () => render({{ model, el: place }});
  const fold = place.closest("details");
  if (fold && !fold.open) fold.addEventListener("toggle", start, {{ once: true }});
  else start();
}}
"""
HASH = base64.b64encode(hashlib.sha256(START.encode()).digest()).decode()
# nothing is fetched, and no script runs but this one, whatever a recording contains
POLICY = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{HASH}'"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
body {{ margin: {margin}; font-family: system-ui, sans-serif; }}
html[theme="dark"] {{ background: #111; color-scheme: dark; }}
</style>
</head>
<body>
{players}
<script type="module">{script}</script>
</body>
</html>
"""


def page_of(recordings, margin="16px"):
    """Return the text of an HTML page that plays recordings. recordings: [(title, dict), ...]."""
    title = html.escape(recordings[0][0])
    players = players_of(recordings)
    style = STYLE + DARK
    return PAGE.format(
        policy=POLICY, title=title, style=style, margin=margin, players=players, script=START
    )


def players_of(recordings):
    """Return the places of a page where START puts a player, as HTML; see page_of()."""
    return "\n".join(_player(title, recording) for title, recording in recordings)


def _player(title, recording):
    traits = json.dumps(replay_traits(title, recording), ensure_ascii=False, separators=(",", ":"))
    traits = traits.replace("<", "\\u003c")  # no text in it ends the script
    return (
        f'<div class="jk-player"><noscript>{_without_script(recording)}</noscript>'
        f'<script type="application/json">{traits}</script></div>'
    )


def _without_script(recording):
    if lines := story_lines(recording):
        return f"<pre>{html.escape(chr(10).join(lines))}</pre>"
    return as_svg(Recording(recording["start"], recording["events"]).now)


def replay_traits(title, recording):
    """Return the traits of a page that plays a recording."""
    return {
        "title": title,
        "state": "recorded",
        "picture": {},
        "news": {},
        "recording": {"start": recording["start"], "events": recording["events"]},
        "controls": {},
        "notice": "",
    }
