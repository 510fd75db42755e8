"""What does the log say while Redis is away?"""

import redis

from jobs_kit.queues import Outage


def test_an_outage_is_logged_once_with_a_remedy_then_every_ten_seconds(monkeypatch, caplog):
    outage, refused = Outage(" here"), redis.ConnectionError("refused")
    for seconds in (0, 1, 9, 11, 12, 20, 22):
        monkeypatch.setattr("jobs_kit.queues.time.monotonic", lambda seconds=seconds: seconds)
        outage.warn(refused)
    outage.end()
    outage.warn(redis.exceptions.BusyLoadingError("loading"))
    lines = [record.getMessage() for record in caplog.records]
    assert "(refused); trying again. If none" in lines[0] and "REDIS_URL" in lines[0]
    assert lines[1:3] == ["Redis is still not available here; trying again"] * 2
    assert lines[3:] == ["Redis is not available here (loading); trying again"]
