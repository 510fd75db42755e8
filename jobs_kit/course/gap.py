"""A gap: a few lines that a reader writes on a lesson's page, checked on the spot and not graded.

The checks of a lesson's gaps are in one file, notebooks/checks/<lesson>.py:

    PUT_COLOURS = Gap(__file__, "put_colours", "Put three strings", blank=..., hint=...)

    @PUT_COLOURS.check
    def test_they_are_on_the_queue(submission):
        '''The three strings are on the queue, in this order'''
"""

import ast
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path

from jobs_kit.course.exercise import load
from jobs_kit.course.places import MATERIAL

CHECKS = MATERIAL / "notebooks" / "checks"
SETUP = """import json, os, time, uuid
import redis
from hotqueue import HotQueue
where = {{"host": os.environ["REDIS_HOST"], "port": os.environ["REDIS_PORT"]}}
{name} = HotQueue("{queue}", db=1, serializer=json, socket_timeout=None, **where)
rd = redis.Redis(db={db}, **where)
"""
WRITE_FILE = re.compile(r"%%writefile (\S+)\n")


@dataclass(frozen=True, eq=False)
class Gap:
    """One gap of a lesson.

    file: the path of the check file that declares it. id: what check("…") names. title: the task
    in a few words. blank: the whole cell as the lesson has it, before the reader writes anything.
    hint: a question for a reader who is stuck.
    before, after: code that surrounds the cell when it is checked: what earlier cells have defined,
    and what a check calls. beside: {file name: text} of files that the code needs.
    wrong: ((name of the check that rejects it, the whole cell), ...): wrong answers.
    """

    file: str
    id: str
    title: str
    blank: str
    hint: str
    before: str = ""
    after: str = ""
    beside: dict = field(default_factory=dict)
    wrong: tuple = ()
    checks: list = field(default_factory=list)

    number, changes, records, is_graded = 0, {}, (), False

    def check(self, function):
        """Decorate a check of this gap."""
        function.exercise = self
        self.checks.append(function.__name__)
        return function

    @property
    def lesson(self):
        """The stem of the lesson's file name."""
        return Path(self.file).stem

    @property
    def folder(self):
        """The name of the folder that a copy is judged in."""
        return self.id

    @property
    def path(self):
        """Where the cell writes a program to, or None for a cell that defines something."""
        match = WRITE_FILE.match(self.blank)
        return match and match[1]

    @property
    def files(self):
        """The name of the one file that is judged."""
        return (Path(self.path).name if self.path else f"{self.id}.py",)

    @property
    def hints(self):
        """The one hint."""
        return (self.hint,)

    @property
    def tests(self):
        """The checks, as pytest names them."""
        return [f"{self.file}::{name}" for name in self.checks]

    def program(self, cell):
        """Return the text of the file that is judged, from the text of a cell."""
        code = WRITE_FILE.sub("", cell, count=1)
        return "\n".join([self.before, code.strip("\n"), self.after]).strip("\n") + "\n"

    def is_attempted(self, source):
        """Tell whether the code differs, as a syntax tree, from the blank."""
        return ast.dump(source.tree(self.files[0])) != ast.dump(ast.parse(self.program(self.blank)))

    def defines(self, cell):
        """Tell whether a cell defines what the blank defines: whether it fills this gap."""
        names = re.findall(r"^(?:def (\w+)|(\w+) = )", self.blank, re.MULTILINE)
        return all(
            re.search(rf"^(?:def {name}\b|{name} = )", cell, re.MULTILINE)
            for name in filter(None, sum(names, ()))
        )


def setup_code(queue, name="q", db=0):
    """Return code that a gap may need before it: a HotQueue called `name`, a connection `rd`."""
    return SETUP.format(queue=queue, name=name, db=db)


@functools.cache
def all_gaps():
    """Return {id: Gap} of all lessons."""
    modules = [load(path) for path in sorted(CHECKS.glob("*.py"))]
    return {
        value.id: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Gap)
    }
