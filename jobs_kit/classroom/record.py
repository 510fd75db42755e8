"""Keep what is known of a class: its server, its students with their passwords, and the limits.

The record is `classroom.json` in the class's folder. `students.csv` beside it has what students get.
Both contain passwords, so only their owner can read them.
"""

import contextlib
import csv
import errno
import fcntl
import io
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from jobs_kit.grading.batch.rosters import harmless
from jobs_kit.redis_server.address import Server

RECORD, TABLE, LOCK = "classroom.json", "students.csv", ".lock"
TLS_OPTIONS = ("ssl_cert_reqs", "ssl_check_hostname")  # others name files of this computer
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # the errors of a system without locks


@dataclass
class Student:
    """A student of the class, or a pair that shares a user.

    login, id: as in the class list, or "". user: the user on the server. is_out: locked out.
    """

    name: str
    login: str
    id: str
    user: str
    password: str
    is_out: bool = False


@dataclass
class Classroom:
    """A class on one Redis.

    folder: a Path. admin_url (str): for a user that may manage users. host (str): of the server as
    students write it. is_the_kits: whether `jobs-kit classroom run` starts the server. students: a
    list of Student. settings: {name: [value before, value of ours]} of the server.
    """

    folder: Path
    admin_url: str
    host: str
    is_the_kits: bool = False
    students: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)

    def connect(self, **options):
        """Return a redis.Redis of the user that manages the class."""
        return Server(self.admin_url).connect(socket_timeout=10, **options)

    def url(self, student):
        """Return the REDIS_URL of a student."""
        parts = urlsplit(self.admin_url)
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = f"{student.user}:{student.password}@{host}:{parts.port or 6379}"
        options = [one for one in parse_qsl(parts.query) if one[0] in TLS_OPTIONS]
        return parts._replace(netloc=place, path="", query=urlencode(options)).geturl()

    def called(self, text):
        """Return the Students with this user, or else with this name or login, a list."""
        by_user = [one for one in self.students if one.user == text]
        return by_user or [s for s in self.students if text in (s.name, s.login)]

    def find(self, text):
        """Return the Student with this user, name or login. Raises ValueError: none, or several."""
        matches = self.called(text)
        if len(matches) == 1:
            return matches[0]
        if matches:
            users = ", ".join(one.user for one in matches)
            raise ValueError(f"{len(matches)} students are called {text!r}; name a user: {users}")
        raise ValueError(f"no student {text!r} is in {self.folder / TABLE}")

    def save(self):
        """Write the record and the table of students."""
        content = asdict(self)
        del content["folder"]
        _write(self.folder / RECORD, json.dumps(content, ensure_ascii=False, indent=1))
        table = io.StringIO(newline="")
        rows = [
            [harmless(one.name), harmless(one.login), one.user, self.url(one)]
            for one in self.students
        ]
        csv.writer(table).writerows([["name", "login", "user", "REDIS_URL"], *rows])
        _write(self.folder / TABLE, table.getvalue())

    def remove(self):
        """Remove the files of the class, the record last."""
        for name in (TABLE, RECORD):
            (self.folder / name).unlink(missing_ok=True)


def read(folder):
    """Return the Classroom whose record is in a folder, or None. Raises ValueError if it is damaged."""
    path = Path(folder) / RECORD
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["students"] = [Student(**one) for one in content["students"]]
        return Classroom(folder=Path(folder), **content)
    except (ValueError, TypeError, KeyError) as problem:
        raise ValueError(f"{path} is damaged ({problem}); restore it from a backup") from None


@contextlib.contextmanager
def locked(folder):
    """Lock a class's folder while a command changes it; wait for another command to end."""
    folder = Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folder / LOCK, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as problem:
            if problem.errno not in NO_LOCKS:
                raise
        try:
            yield
        finally:
            if not (folder / RECORD).exists():  # there is no class, or no longer
                (folder / LOCK).unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # other files are there
                    folder.rmdir()


def _write(path, text):
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(number, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
