"""Which Redis is found, and how it is named in the environment."""

import getpass
import json
import os
import signal
import socketserver
import sys
import threading

import pytest
import redis
from hotqueue import HotQueue

from jobs_kit.redis_server import find
from jobs_kit.redis_server import server as module
from jobs_kit.redis_server.address import RedisNotFoundError, Server, server_version
from jobs_kit.redis_server.find import find_redis
from jobs_kit.redis_server.server import start_server

pytestmark = pytest.mark.redis_server


@pytest.fixture
def old_server():
    """The port of something that answers like Redis 5: it knows INFO, but not HELLO."""

    class Old(socketserver.StreamRequestHandler):
        def handle(self):
            while line := self.rfile.readline():
                words = []
                for _ in range(int(line[1:])):
                    size = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(size + 2)[:-2].upper())
                text = b"redis_version:5.0.7\r\n"
                known = b"$%d\r\n%s\r\n" % (len(text), text)
                self.wfile.write(known if words[0] == b"INFO" else b"-ERR unknown command\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Old) as old:
        old.daemon_threads = True
        threading.Thread(target=old.serve_forever, daemon=True).start()
        yield old.server_address[1]
        old.shutdown()


def test_the_named_server_wins(server):
    os.environ["REDIS_URL"] = server.url
    assert find_redis().port == server.port
    assert find_redis().origin == "named by REDIS_URL or REDIS_HOST"


@pytest.mark.parametrize(
    "url, message",
    [
        ("redis://127.0.0.1:1", "no Redis lets us in there.*refused.*Unset the variable"),
        ("localhost:6379", "must specify one of the following schemes.*redis://"),
        ("redis://127.0.0.1:port", "could not be cast.*Is the address right"),
    ],
)
def test_a_missing_named_server_is_reported(url, message):
    os.environ["REDIS_URL"] = url
    with pytest.raises(RedisNotFoundError, match=message):
        find_redis()


def test_a_wrong_password_is_reported_but_not_shown(class_server):
    os.environ["REDIS_URL"] = class_server.replace("secret", "guessed")
    with pytest.raises(RedisNotFoundError, match=r"ana:\*\*\*@.*password pair") as why:
        find_redis()
    assert "guessed" not in str(why.value)


def test_an_old_named_server_is_reported(old_server):
    os.environ["REDIS_HOST"], os.environ["REDIS_PORT"] = "127.0.0.1", str(old_server)
    with pytest.raises(RedisNotFoundError, match=r"is Redis 5\.0\.7; the kit needs Redis 6\.2"):
        find_redis()


def test_on_a_class_server_all_is_yours_and_your_services_get_their_own(class_server, server):
    os.environ["REDIS_URL"] = class_server
    found = find_redis()
    name, version = server_version(server.connect())
    assert repr(found).startswith(f"{name} {version} at") and "secret" not in repr(found)
    assert (found.prefix, found.queue_name("some_queue")) == ("ana.", "ana.some_queue")
    own = redis.Redis(os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"]))
    assert own.ping() and os.environ["REDIS_PORT"] != str(found.port)
    assert find_redis() is found  # it may refuse a PING and still be there


@pytest.fixture
def locked_server():
    """The port of a server whose password is "secret", as requirepass makes it."""
    started = start_server()
    started.connect().execute_command("ACL", "SETUSER", "default", "resetpass", ">secret")
    yield started.port
    started.stop()


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_beside_a_server_with_a_password_your_services_get_their_own(locked_server, host):
    os.environ["REDIS_URL"] = f"redis://:secret@127.0.0.1:{locked_server}"
    if host:
        os.environ |= {"REDIS_HOST": host, "REDIS_PORT": str(locked_server)}
    assert find_redis().port == locked_server
    assert os.environ["REDIS_PORT"] != str(locked_server)
    assert redis.Redis(os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"])).ping()
    named = os.environ["REDIS_PORT"]
    find._found = None  # as in a kernel that inherits our environment
    find_redis()
    assert os.environ["REDIS_PORT"] == named


@pytest.mark.parametrize("url", ["", "redis://:guessed@127.0.0.1:{port}"])
def test_a_server_whose_password_is_not_named_is_reported(locked_server, url):
    os.environ |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(locked_server)}
    os.environ["REDIS_URL"] = url.format(port=locked_server)
    with pytest.raises(RedisNotFoundError, match="with its user and password"):
        find_redis()


def test_the_constructor_can_be_typed(class_server):
    os.environ["REDIS_URL"] = class_server
    names = {"HotQueue": HotQueue, "json": json}
    q = eval(find_redis().constructor("some_queue"), names)
    q.put("hello")
    assert q.key == "hotqueue:ana.some_queue"
    assert list(zip(q.consume(timeout=1), "1", strict=False)) == [("hello", "1")]


def test_on_another_machine_a_user_without_a_name_of_their_own_gets_the_login_s(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "ben")
    far = Server("redis://redis.class.example")
    find._name_in_environment(far)
    assert far.prefix == "ben."
    assert os.environ["REDIS_HOST"] == "127.0.0.1"


def test_on_this_machine_a_named_server_serves_all_and_needs_no_prefix(server):
    """As in a second terminal beside `jobs-kit redis --port N`."""
    os.environ["REDIS_PORT"] = str(server.port)
    assert find_redis().prefix == ""
    assert (os.environ["REDIS_HOST"], os.environ["REDIS_URL"]) == ("127.0.0.1", server.url)


def test_a_server_that_is_named_later_replaces_the_first(server):
    find_redis()
    os.environ["REDIS_URL"] = server.url
    assert find_redis().port == server.port


def test_a_prefix_that_was_chosen_stays():
    os.environ["JOBS_KIT_PREFIX"] = ""
    far = Server("redis://redis.class.example")
    find._name_in_environment(far)
    assert far.prefix == ""


def test_a_program_started_later_finds_the_same_server_and_may_administer_it():
    found = find_redis()
    assert found.prefix == ""
    find._found = None  # as in a kernel that inherits our environment
    inherited = find_redis()
    assert inherited.is_the_kits and inherited.url == found.url
    assert inherited.connect().config_get("dir")
    assert (inherited.prefix, os.environ["REDIS_PORT"]) == ("", str(found.port))


def test_it_is_found_once_and_replaced_when_it_died(until, process_id):
    found = find_redis()
    assert find_redis() is found
    os.kill(process_id(found), signal.SIGKILL)
    until(lambda: not found.answers())
    assert "does not answer" in repr(found)
    again = find_redis()
    assert again is not found and again.answers()
    assert os.environ["REDIS_URL"] == again.url


def test_a_kernel_whose_kit_has_lost_its_redis_says_what_to_do():
    find_redis().stop()
    find._found = None  # as in a kernel that inherits our environment
    with pytest.raises(RedisNotFoundError, match=r"own Redis .* has ended .* Start the kit again"):
        find_redis()


def test_the_stand_in_works_and_says_that_it_is_one(monkeypatch):
    monkeypatch.setattr(module, "find_programs", lambda: iter([]))
    found = find_redis()
    assert "a stand-in written in Python" in repr(found)
    q = HotQueue("q", serializer=json, host=found.host, port=found.port, socket_timeout=None)
    q.put(1, 2)
    assert len(q) == 2
    assert [item for item, _ in zip(q.consume(timeout=1), "12", strict=False)] == [1, 2]
    find._found = None
    assert find_redis().is_the_kits and find_redis().prefix == ""  # in a kernel, too
    found.stop()


def test_without_any_redis_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module, "find_programs", lambda: iter([]))
    monkeypatch.setitem(sys.modules, "fakeredis", None)
    with pytest.raises(RedisNotFoundError, match=r"install redis-server 6\.2 or later"):
        find_redis()


def test_the_line_for_a_server_with_tls_names_its_certificate():
    line = Server("rediss://ana:secret@host:6379?ssl_ca_certs=ca.pem").constructor("q")
    assert "ssl=True, ssl_ca_certs='ca.pem'" in line
