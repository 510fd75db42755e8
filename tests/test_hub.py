"""The JupyterHub example: who gets which Redis, and where the links of README lead.

`make hub-test` runs it in a real hub.
"""

import logging
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from traitlets.config.loader import PyFileConfigLoader

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "binder" / "jupyterhub"
sys.path.insert(0, str(EXAMPLE))
from link import FIRST, FOLDER, link  # noqa: E402


@pytest.fixture
def redis_of(tmp_path):
    """Return a function: the REDIS_URL that an instructor's hub gives the user of a name."""
    example = f'load_subconfig("{EXAMPLE}/jupyterhub_config.py")'
    own = f'c = get_config()\nc.Spawner.environment = {{"TZ": "UTC"}}\n{example}\n'
    (tmp_path / "config.py").write_text(own)
    config = PyFileConfigLoader("config.py", path=str(tmp_path)).load_config()
    assert config.Spawner.environment["TZ"] == "UTC", "the instructor's own are kept"

    def redis_of(name):
        spawner = SimpleNamespace(user=SimpleNamespace(name=name), log=logging.getLogger())
        return config.Spawner.environment["REDIS_URL"](spawner)

    return redis_of


def test_without_a_class_each_user_gets_their_own_redis(redis_of, monkeypatch):
    monkeypatch.delenv("JOBS_KIT_STUDENTS", raising=False)
    assert redis_of("ana") == ""


def test_users_get_the_redis_of_their_row(redis_of, monkeypatch, tmp_path, caplog):
    students = tmp_path / "students.csv"
    students.write_text("name,user,REDIS_URL\n'=Ana,ana,redis://ana:x@h:1\nAna,ana-2,redis://a\n")
    monkeypatch.setenv("JOBS_KIT_STUDENTS", str(students))
    assert redis_of("ana") == "redis://ana:x@h:1"
    assert redis_of("ana-2") == "redis://a"
    assert caplog.text == ""
    assert redis_of("instructor") == ""
    assert f"instructor is not in {students}" in caplog.text


@pytest.mark.parametrize("hub", ["https://hub.example.org", "https://example.org/school/"])
@pytest.mark.parametrize("repository", ["https://git.example.org/a/kit.git", "ssh://git@host/~a/k"])
def test_the_link_survives_a_login(hub, repository):
    url = urlsplit(link(hub, repository, "two words"))
    assert url.path == f"{urlsplit(hub).path.rstrip('/')}/hub/user-redirect/git-pull"
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (query["repo"], query["branch"]) == (repository, "two words")
    assert query["urlpath"] == f"lab/tree/{query['targetpath']}/{FIRST}" and FOLDER
    assert (ROOT / FIRST).is_file()


def test_the_readme_builds_binder_links():
    text = (ROOT / "README.md").read_text()
    url = urlsplit(re.search(r"https://mybinder.org/v2/gh/\S+?(?=`)", text)[0])
    assert url.path == "/v2/gh/OWNER/REPOSITORY/HEAD"
    opened = parse_qs(url.query)["urlpath"][0]
    assert (ROOT / opened.removeprefix("lab/tree/")).is_file()
    other = url.path.replace(
        "v2/gh/OWNER/REPOSITORY", "v2/git/https%3A%2F%2Fcode.example.org%2Fa%2Fb"
    )
    _, _, kind, repository, reference = other.split("/")
    assert (kind, unquote(repository), reference) == ("git", "https://code.example.org/a/b", "HEAD")
