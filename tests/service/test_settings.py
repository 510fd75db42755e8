"""Settings come from the environment; an invalid value is refused with a valid example."""

import pytest

from jobs_kit import settings


@pytest.fixture(autouse=True)
def nothing_set(redis_url, monkeypatch):
    monkeypatch.delenv("REDIS_URL")


def test_without_an_environment_there_are_defaults(monkeypatch):
    assert settings.redis_url() == "redis://127.0.0.1:6379"
    assert not settings.redis_is_named()
    assert (settings.job_seconds(), settings.lease(), settings.api_port()) == (0, 6, 5000)
    assert settings.prefix() == ""


def test_host_and_port_make_a_url_and_a_url_wins(monkeypatch):
    monkeypatch.setenv("REDIS_HOST", "redis.example")
    assert settings.redis_url() == "redis://redis.example:6379"
    monkeypatch.setenv("REDIS_PORT", "7000")
    assert settings.redis_url() == "redis://redis.example:7000"
    monkeypatch.setenv("REDIS_URL", "redis://ana:secret@class.example:6379/2")
    assert settings.redis_url() == "redis://ana:secret@class.example:6379/2"
    assert settings.redis_is_named()


def test_the_user_of_a_shared_redis_is_the_prefix_unless_another_is_set(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://ana:secret@class.example")
    assert settings.prefix() == "ana."
    monkeypatch.setenv("JOBS_KIT_PREFIX", "team-1.")
    assert settings.prefix() == "team-1."
    monkeypatch.delenv("JOBS_KIT_PREFIX")
    monkeypatch.setenv("REDIS_URL", "redis://:secret@class.example")
    assert settings.prefix() == ""


@pytest.mark.parametrize("url", ["redis://ana:se/cr@et@host:1/0", "redis://:secret@host"])
def test_a_password_is_never_shown(url):
    shown = settings.without_password(url)
    assert "***" in shown and "host" in shown
    assert "secret" not in shown and "cr@et" not in shown and "se/" not in shown


@pytest.mark.parametrize(
    ("name", "setting", "bad"),
    [
        ("REDIS_PORT", settings.redis_url, ["x", "-1", "70000", "1.5"]),
        ("JOBS_KIT_JOB_SECONDS", settings.job_seconds, ["x", "-1", "nan", "inf"]),
        ("JOBS_KIT_JOB_EXPIRES", settings.job_expires, ["0", "1.5", "x"]),
        ("JOBS_KIT_LEASE", settings.lease, ["0", "x", "inf"]),
        ("JOBS_KIT_API_PORT", settings.api_port, ["x", "70000"]),
    ],
)
def test_an_invalid_value_is_refused_with_the_name_of_its_setting(monkeypatch, name, setting, bad):
    for text in bad:
        monkeypatch.setenv(name, text)
        with pytest.raises(ValueError, match=f"{name} is '{text}'; it must be"):
            setting()
    monkeypatch.setenv(name, "")
    setting()  # empty means unset
