"""A proxy that the environment names stays out of the way of services on this machine."""

import os
import subprocess
import sys

import pytest

from jobs_kit.redis_server import find

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
NEAR = "127.0.0.1,localhost"

# a service, and a client of it, as a lesson has them
CALL = """
import http.server, threading
import requests
from jobs_kit.lab import find_redis

if {finds}:
    find_redis()
service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=service.serve_forever, daemon=True).start()
for host in ("127.0.0.1", "localhost"):
    print(requests.get(f"http://{{host}}:{{service.server_port}}/", timeout=20).status_code)
"""


@pytest.fixture
def variables(monkeypatch):
    """variables(HTTP_PROXY=…) sets these and no others, and returns what NO_PROXY becomes."""

    def set_them(**values):
        for name in (*NAMES, *map(str.upper, NAMES)):
            monkeypatch.setenv(name, values.get(name, ""))
        find._keep_proxies_out()
        return os.environ["no_proxy"], os.environ["NO_PROXY"]

    return set_them


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_a_lesson_reaches_its_own_service_past_a_proxy(name, redis_url):
    proxied = {name: "http://127.0.0.1:9", "PATH": os.environ["PATH"], "REDIS_URL": redis_url}

    def call(finds):
        command = [sys.executable, "-c", CALL.format(finds=finds)]
        return subprocess.run(command, capture_output=True, text=True, env=proxied, timeout=60)

    assert "ProxyError" in call(finds=False).stderr, "the trouble itself"
    done = call(finds=True)
    assert done.stdout.split() == ["200", "200"], done.stderr


def test_without_a_proxy_nothing_is_set(variables):
    assert variables() == ("", "")
    assert variables(no_proxy="example.org") == ("example.org", "")


@pytest.mark.parametrize("proxy", NAMES[:3])
def test_whichever_proxy_is_named_both_spellings_are_set(variables, proxy):
    assert variables(**{proxy: "http://proxy:3128"}) == (NEAR, NEAR)
    assert variables(**{proxy.upper(): "http://proxy:3128"}) == (NEAR, NEAR)


def test_earlier_exceptions_stay(variables):
    kept = f"example.org,{NEAR}"
    assert variables(HTTP_PROXY="x", NO_PROXY="example.org") == (kept, kept)
    assert variables(HTTP_PROXY="x", no_proxy="a.b", NO_PROXY="c.d") == (
        f"a.b,{NEAR}",
        f"c.d,{NEAR}",
    )


def test_no_address_is_listed_twice(variables):
    hosts = "localhost, 127.0.0.1"
    assert variables(HTTP_PROXY="x", NO_PROXY=hosts)[1] == "localhost,127.0.0.1"
    assert variables(HTTP_PROXY="x", NO_PROXY="*") == ("*", "*")
