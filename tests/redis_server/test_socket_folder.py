"""A Redis starts also where the temporary folder is no place for its socket and its settings."""

import tempfile

import pytest

from jobs_kit.redis_server import socket_folder
from jobs_kit.redis_server.server import start_server
from jobs_kit.redis_server.socket_folder import base_folder


@pytest.mark.parametrize("name", ["x" * 120, "kit [2026]", 'a"b', "a\\b", "ü" * 40])
def test_a_redis_starts_whatever_the_temporary_folder_is_called(name, tmp_path, monkeypatch):
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    server = start_server(unix_socket=True)
    try:
        assert server.connect().ping()
    finally:
        server.stop()


def test_a_fit_temporary_folder_is_used(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        monkeypatch.setattr(tempfile, "tempdir", place)
        assert base_folder() == place


def test_where_no_folder_is_fit_the_message_says_what_to_set(monkeypatch):
    monkeypatch.setattr(socket_folder, "_is_fit", lambda folder: False)
    with pytest.raises(OSError, match="set TMPDIR"):
        base_folder()
