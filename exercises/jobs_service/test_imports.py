"""Each of the three files can be imported by itself, and knows every name that it uses.

Names that only later parts of the project use are not asked for.
"""

import ast
import sys

import pytest

from jobs_kit.grading import (
    CheckError,
    Exercise,
    NotAttemptedError,
    NotReachedError,
    TimedOutError,
    expect,
    points,
)
from jobs_kit.grading.programs.hints import hint_for
from jobs_kit.grading.source.project import Project
from jobs_kit.grading.source.syntax import imports_in, is_private


def is_attempted(source):
    """Return True when some file imports something; raise NotAttemptedError if none does."""
    if any(imports_in(source.tree(file)) for file in source.modules()):
        return True
    raise NotAttemptedError("nothing to judge yet: no file imports anything")


EXERCISE = Exercise(
    __file__,
    number=40,
    lesson="organise_code_into_modules",
    title="Import what each file needs",
    files=("api.py", "jobs.py", "worker.py"),
    changes={"api.py": (), "jobs.py": (), "worker.py": ()},
    is_attempted=is_attempted,
    hints=(
        "Go through each file line by line: which name comes neither from this file nor with "
        "Python itself? And in worker.py: what will the missing decorator need?",
        "`import json` brings the module json, and json.dumps is in it; `from flask import Flask` "
        "brings the name Flask itself. Each file imports for itself what it uses; what another "
        "file of yours defines is imported like a package, without .py.",
        "api.py: json, Flask and request from flask, jobs. jobs.py: json, uuid, redis, HotQueue "
        "from hotqueue, and its own helpers called by their private names. worker.py: jobs, and "
        "with it jobs.q.",
    ),
)
PACKAGES = {"flask", "hotqueue", "redis", "werkzeug", "requests", "matplotlib", "numpy"}
READ = "test_python_can_read_every_file"


@pytest.fixture
def submission(submission):
    """The programs of the answer; importing them leaves nothing in Redis that is worth showing."""
    submission.evidence = list
    return submission


def names_at_run(submission, module):
    """Return {name: what may stand after its dot} of a module once it is imported, or None."""
    try:
        told = submission.call(module, None).process.events("value")
    except TimedOutError:
        return None
    return told[-1]["names"] if told else None


def hides_a_package(module):
    """Tell whether a file of this name would be found in the place of a package."""
    return module in sys.stdlib_module_names or module in PACKAGES


def require_imports(project):
    """Raise NotReachedError as long as no file imports another one."""
    if not any(project.imported(module) for module in project.reached()):
        raise NotReachedError("this can only be seen when a file of yours imports another one")


def where(project, name):
    """Return in words where a name could be meant to come from."""
    if name in project.trees:
        return f" (there is a file {name}.py)"
    owner = project.owner(name)
    if owner and owner[1] == name:
        return f" (it stands in {owner[0]}.py)"
    return f" (there is {owner[1]} in {owner[0]}.py)" if owner else ""


@points(1)
def test_python_can_read_every_file(source):
    """Python can read api.py, jobs.py and worker.py"""
    Project(source)


@points(2, after=READ)
def test_each_file_knows_every_name_it_uses(source, submission):
    """Each file knows every name that it uses"""
    project = Project(source)
    lines, hint = [], None
    for module in project.reached():
        missing = project.missing(module)
        known = names_at_run(submission, module) if missing else {}
        for one in missing:
            if one.name in (known or ()) or (one.perhaps and known is None):
                continue
            hint = hint or hint_for_missing(project, module, one.name)
            lines.append(f"{module}.py, line {one.line}: {one.name}{where(project, one.name)}")
    expect(
        not lines,
        "each name is defined in the file that uses it, imported there, or part of Python",
        got="\n".join(["not known:", *dict.fromkeys(lines)]),
        hint=hint,
    )


def hint_for_missing(project, module, name):
    owner = project.owner(name)
    if owner and owner[1] != name:
        return f"What is {name} called since you decided what is private and what is public?"
    if owner and owner[0] != module and is_private(name):
        return f"{name} is private in {owner[0]}.py: which public function there does this?"
    if owner and owner[0] != module:
        return (
            f"{name} stands in {owner[0]}.py: which import leads {module}.py there, and what has "
            f"to be written before {name} then?"
        )
    for one in project.imports(module):
        if one.bound == name and not one.deferred:
            return f"{name} is imported in line {one.line}. When is that line run?"
        if name.lower() in (one.module.lower(), str(one.name).lower()):
            return f"Line {one.line} says `{one}`: which name does {module}.py know after it?"
    for other in project.reached():
        if any(one.bound == name for one in project.imports(other)):
            return f"{other}.py imports {name}. Does that help {module}.py?"
    return f"Is {name} a module, or does it come out of one? Which line of {module}.py brings it?"


@points(1, after=READ)
def test_what_a_file_takes_from_another_is_there(source):
    """What a file takes from another of your files is there"""
    project = Project(source)
    require_imports(project)
    stored = {name for module in project.trees for name in project.stored(module)}
    lines, hint = [], None
    for module in project.reached():
        for use in project.uses(module):
            names = project.names(use.module)
            if not use.certain or names is None or hides_a_package(use.module):
                continue
            if use.name in names | stored or use.name.startswith("__"):
                continue
            owner = project.owner(use.name)
            hint = hint or (
                f"Which of the two spellings is right? If it is private in {use.module}.py, who "
                "may use it?"
                if owner and owner[0] == use.module
                else f"Open {use.module}.py: what does it define that does what this line wants?"
            )
            lines.append(
                f"{module}.py, line {use.line}: {use.text}\n"
                f"but {use.module}.py has no {use.name}{where(project, use.name)}"
            )
    expect(
        not lines,
        "a name that is taken from another file is defined there, spelled the same",
        got="\n".join(dict.fromkeys(lines)),
        hint=hint,
    )


@points(1, after=READ)
def test_no_import_leads_back(source, note):
    """The imports of your files run in no circle"""
    project = Project(source)
    require_imports(project)
    circles, hint = {}, None
    for module in project.reached():
        way = project.path(module, module, deferred=False)
        if hides_a_package(module):
            continue
        if way and frozenset(way) not in circles:
            circles[frozenset(way)] = project.steps(way)
            hint = hint or (
                f"While Python is still busy with the imports of {module}.py, which of its names "
                "are there already? Which of these lines could go?"
            )
        elif not way and (way := project.path(module, module)):
            note(f"a circle is hidden in a function: {'; '.join(project.steps(way))}")
    expect(
        not circles,
        "whatever a file imports never imports that file again",
        got="\n".join(line for steps in circles.values() for line in steps),
        hint=hint,
    )


@points(
    2,
    after=(
        READ,
        "test_each_file_knows_every_name_it_uses",
        "test_what_a_file_takes_from_another_is_there",
        "test_no_import_leads_back",
    ),
)
def test_each_file_can_be_imported_alone(source, submission):
    """Each file can be imported by itself"""
    project = Project(source)
    for module in project.reached():
        for one in project.imports(module):
            if one.module in project.trees and hides_a_package(one.module):
                raise CheckError(
                    "none of your files has the name of a module that Python or a package brings",
                    call=f"import {module}",
                    got=f"{module}.py, line {one.line}: `{one}` means two modules, your file "
                    f"{one.module}.py and another one, which packages need",
                    hint=f"Try `import {one.module}` in a shell outside this folder: what comes? What "
                    "else could your file be called?",
                )
    for module in project.reached():
        call = submission.call(module, None)
        expect(
            not call.error and (call.process.running or call.process.events("value")),
            f"{module}.py can be imported by a program that has imported nothing else",
            call=call,
            hint=hint_for(call.error),
        )


@points(1, after=(READ, "test_each_file_can_be_imported_alone"))
def test_each_import_brings_what_its_name_is_used_for(source, submission):
    """Each import brings what its name is used for"""
    project = Project(source)
    lines, first = [], None
    for module in project.reached():
        known = names_at_run(submission, module) or {}
        for name, attribute, line in project.dots(module):
            has = known.get(name)
            if has is None or attribute in has or attribute in project.stored(module):
                continue
            first = first or (module, name)
            lines.append(f"{module}.py, line {line}: {name} has no {attribute}")
    expect(
        not lines,
        "what stands before a dot has what stands after it",
        call=first and f"import {first[0]}",
        got="\n".join(dict.fromkeys(lines)),
        hint=first
        and f"What is {first[1]} in {first[0]}.py, a module or a function? Look for every line "
        "that gives a meaning to this name: the last one counts.",
    )


@points(1, after=READ)
def test_the_worker_can_reach_the_queue(source):
    """worker.py can reach q, the one queue, for its missing decorator"""
    project = Project(source)
    makers = [one for one in project.reached() if one != "worker" and project.resolve(one, "q")]
    target = next((project.resolve(one, "q") for one in makers), None)
    expect(
        target,
        "q is made in jobs.py, where both programs find it",
        got="neither jobs.py nor what it imports defines q",
        hint="Search your files for HotQueue: which makes the queue, and what is it called?",
    )
    home = f"{target[0]}.py"
    own = queues_made_in(project, "worker")
    reached = project.reaches("worker", target)
    if own and (not reached or any(name in ("queue", None) for name, _ in own)):
        raise CheckError(
            f"worker.py uses the q of {home}: one queue for both programs",
            got=f"worker.py, line {own[0][1]}, makes a queue of its own",
            hint="Name, database and address of the queue stand in two files now. Change one of "
            "them in one file: where are messages put then, and where are they waited for?",
        )
    taken = "; ".join(f"{one} (line {one.line})" for one in project.imports("worker"))
    expect(
        reached,
        f"worker.py imports something that leads to q in {home}: execute_job will need it as soon "
        "as its decorator is there",
        got=f"all that worker.py has: {taken}" if taken else "worker.py imports nothing",
        hint="A comment in worker.py says that a decorator is missing. Which of your objects has "
        "a method `worker`, and how does this file get at it?",
    )


def queues_made_in(project, module):
    """Return [(name of the queue or None, line), ...] of the HotQueues that a module makes."""
    called = {"HotQueue"}
    called |= {one.bound for one in project.imports(module) if one.name == "HotQueue"}
    return [
        (getattr(node.args[0], "value", None) if node.args else None, node.lineno)
        for node in ast.walk(project.trees[module])
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) or getattr(node.func, "attr", None)) in called
    ]
