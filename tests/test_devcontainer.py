"""The dev container names files that exist, and a Redis where its notebooks look for one."""

import json
import shlex
from pathlib import Path

from jobs_kit.redis_server.address import Server

ROOT = Path(__file__).parents[1]
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())


def test_it_opens_a_page_that_exists():
    pages = CONTAINER["customizations"]["codespaces"]["openFiles"]
    assert pages and all((ROOT / page).is_file() for page in pages)


def test_it_makes_what_the_makefile_can_make():
    words = shlex.split(CONTAINER["postCreateCommand"])
    target = words[words.index("make") + 1]
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()


def test_notebooks_and_terminals_look_for_redis_where_it_listens():
    words = shlex.split(CONTAINER["postStartCommand"])
    server = Server(CONTAINER["containerEnv"]["REDIS_URL"])
    port = words[words.index("--port") + 1] if "--port" in words else "6379"
    assert (server.host, str(server.port)) == (words[words.index("--bind") + 1], port)
