"""The clients of one user are listed, on a server that a whole class is connected to."""

import pytest
import redis

from jobs_kit.redis_server import clients
from jobs_kit.redis_server.address import Server

pytestmark = pytest.mark.redis_server


def test_all_clients_are_listed_only_now_and_then(server, monkeypatch, until):
    monkeypatch.setattr(clients, "SECONDS_FOR_EACH", 1000)
    client_list, asking = clients.ClientList(Server(server.url)), redis.Redis.from_url(server.url)
    first, late = redis.Redis.from_url(server.url), redis.Redis.from_url(server.url)

    def listed(thoroughly=False):
        return {int(one["id"]) for one in client_list.read(asking, thoroughly)}

    old = first.client_id()
    assert old in listed()
    newcomer = late.client_id()
    assert newcomer not in listed()
    assert {old, newcomer} <= listed(thoroughly=True)
    assert {old, newcomer} <= listed()
    first.close()
    until(lambda: old not in listed())
    assert newcomer in listed()
    late.close(), asking.close()


def test_clients_of_other_users_are_not_yours(server):
    instructor = server.connect()
    others = instructor.client_id()
    mine = clients.ClientList(Server(server.url)).read(instructor)
    assert others not in {int(one["id"]) for one in mine}
