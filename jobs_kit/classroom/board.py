"""Show the whole class at once, for a projector: on a page of this computer, or as text.

Each student is a tile. Its state is a word and a sign, never only a colour.
"""

import shutil
import sys
import time
import webbrowser
from dataclasses import asdict, dataclass
from pathlib import Path

import redis
from flask import Flask, jsonify

from jobs_kit.classroom.status import read_status
from jobs_kit.http_server import make_server

PAGE = Path(__file__).with_name("board.html")
SILENT = 60  # seconds without a command after which a student who does not wait counts as silent
MUCH_MEMORY = 0.8  # of what the server may use; when it is full, messages are refused
UPDATE_SECONDS = 1
CLEAR = "\x1b[H\x1b[2J"
SIGNS = {"out": "✕", "away": "·", "silent": "z", "waits": "…", "active": "●"}


@dataclass
class Tile:
    """One student on the board.

    label: a name or a number. state: a key of SIGNS. words: the state in words. queues: "3 queued",
    the number of messages, or "".
    """

    label: str
    state: str
    words: str
    queues: str


def make_app(read_room, names):
    """Return the Flask app of the board's page. names: whether it shows names, or only numbers.

    read_room(): the Classroom as it is now, because students may be added meanwhile.
    """
    app = Flask(__name__)

    @app.get("/")
    def page():
        return PAGE.read_text(encoding="utf-8")

    @app.get("/class")
    def class_now():
        try:
            status = read_status(read_room())
        except redis.RedisError as problem:
            return {"error": f"the class's Redis does not answer ({problem})"}, 503
        except (OSError, ValueError) as problem:  # the class has been taken down
            return {"error": str(problem)}, 503
        tiles = [asdict(tile) | {"sign": SIGNS[tile.state]} for tile in make_tiles(status, names)]
        return jsonify(summary=summarize(status), tiles=tiles)

    return app


def serve(read_room, names, port, opens_browser):
    """Serve the page on 127.0.0.1 until interrupted. port 0: any free port. Raises OSError.

    opens_browser: whether this computer's browser shows it. The others: as for make_app().
    """
    server = make_server(make_app(read_room, names), port)
    address = f"http://127.0.0.1:{server.effective_port}/"
    print(f"The board, for this computer only, until you press Ctrl-C: {address}", flush=True)
    if opens_browser:
        webbrowser.open(address)
    server.run()


def show_text(read_room, names):
    """Print the board every second until Ctrl-C, or once into a file. Parameters as of make_app()."""
    is_watched = sys.stdout.isatty()
    while True:
        text = "\n".join(as_text(read_status(read_room()), names))
        print(CLEAR + text if is_watched else text, flush=True)
        if not is_watched:
            return
        time.sleep(UPDATE_SECONDS)


def make_tiles(status, names):
    """Return the Tiles of a ClassStatus. names: as for make_app()."""
    return [
        Tile(student.name if names else str(number), *_state(student), _queues(student))
        for number, student in enumerate(status.students, start=1)
    ]


def summarize(status):
    """Return a ClassStatus in one sentence."""
    students = status.students
    connected = sum(student.connections > 0 for student in students)
    waiting = sum(student.waiting > 0 for student in students)
    parts = [
        f"{connected} of {len(students)} connected",
        f"{waiting} waiting for messages",
        f"{sum(map(_depth, students)):,} queued",
    ]
    if status.most_memory and status.memory > MUCH_MEMORY * status.most_memory:
        parts.append(f"memory {status.memory / status.most_memory:.0%} full")
    return " · ".join(parts)


def as_text(status, names):
    """Return the board as lines of text that fit the terminal."""
    cells = [
        f"{tile.label}  {SIGNS[tile.state]} {', '.join(filter(None, [tile.words, tile.queues]))}"
        for tile in make_tiles(status, names)
    ]
    width = max(map(len, cells), default=0) + 3
    columns = max(shutil.get_terminal_size().columns // width, 1)
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    lines = ["".join(cell.ljust(width) for cell in row).rstrip() for row in rows]
    return [summarize(status), "", *lines]


def _depth(student):
    return sum(student.queues.values())


def _queues(student):
    depth = _depth(student)
    return f"{depth:,} queued" if depth else ""


def _state(student):
    """Return (state, words) of a StudentStatus."""
    if student.is_out:
        return "out", "locked out"
    if not student.connections:
        return "away", "not connected"
    if student.waiting:
        return "waits", "waiting"
    if student.silent_seconds >= SILENT:
        return "silent", f"silent {student.silent_seconds // 60} min"
    return "active", "active"
