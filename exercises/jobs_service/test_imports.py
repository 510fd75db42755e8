"""Each of the three files can be imported by itself and knows every name that it uses.

Names that only later exercises use are not required.
"""

from jobs_kit.grading import (
    CheckError,
    Exercise,
    NotAttemptedError,
    NotReachedError,
    expect,
    expect_none,
    imports_in,
    is_private,
    points,
)


def is_attempted(source):
    """Return True when some file imports something; raise NotAttemptedError if none does."""
    if any(imports_in(source.tree(file)) for file in source.modules()):
        return True
    raise NotAttemptedError("nothing to judge yet: no file imports anything")


EXERCISE = Exercise(
    __file__,
    number=40,
    lesson="decide_what_is_public",
    title="Import what each file needs",
    files=("api.py", "jobs.py", "worker.py"),
    changes={"api.py": (), "jobs.py": (), "worker.py": ()},
    is_attempted=is_attempted,
    hints=(
        "Go through each file line by line: which name is neither defined in the file nor built "
        "into Python? In worker.py, think of the decorator, too, that is still missing.",
        "`import json` brings the module, so you write json.dumps; `from flask import Flask` "
        "brings the name Flask. Each file imports everything that it uses. You import your own "
        "files like packages, without .py.",
        "api.py: json, Flask and request from flask, jobs. jobs.py: json, uuid, redis, HotQueue "
        "from hotqueue; it calls its helpers by their private names. worker.py: jobs, which "
        "contains jobs.q.",
    ),
)
READ = "test_python_can_read_every_file"


def require_imports(project):
    """Raise NotReachedError as long as no file imports another one."""
    if not any(project.imported(module) for module in project.reached()):
        raise NotReachedError("this check needs a file of yours that imports another one")


@points(1)
def test_python_can_read_every_file(project):
    """Python can read api.py, jobs.py and worker.py"""


@points(2, after=READ)
def test_each_file_knows_every_name_it_uses(project, submission):
    """Each file knows every name that it uses"""
    lines, hint = [], None
    for module in project.reached():
        missing = project.missing(module)
        known = submission.names_at_run(module) if missing else {}
        for name in missing:
            if name.name in (known or ()) or (name.perhaps and known is None):
                continue
            hint = hint or hint_for_missing(project, module, name.name)
            lines.append(f"{module}.py, line {name.line}: {name.name}{project.place_of(name.name)}")
    expect_none(
        lines and ["unknown names:", *lines],
        "each name is defined in the file that uses it, imported there, or part of Python",
        hint=hint,
    )


def hint_for_missing(project, module, name):
    """Return a question that leads from a name that is not known to its cause."""
    owner = project.owner(name)
    if owner and owner[1] != name:
        return f"Your files define {owner[1]}, not {name}. Which name does this line need?"
    if owner and owner[0] != module and is_private(name):
        return f"{name} is private in {owner[0]}.py: which public function there does this?"
    if owner and owner[0] != module:
        return (
            f"{name} is defined in {owner[0]}.py. Import that file, and say where {name} comes "
            f"from: {owner[0]}.{name}."
        )
    for item in project.imports(module):
        if item.bound == name and not item.deferred:
            return f"{name} is imported in line {item.line}. When does that line run?"
        if name.lower() in (item.module.lower(), str(item.name).lower()):
            return f"Line {item.line} is `{item}`. Which name does {module}.py know after it?"
    for other in project.reached():
        if any(item.bound == name for item in project.imports(other)):
            return (
                f"{other}.py imports {name}, but that is for {other}.py. Import it in {module}.py."
            )
    return f"Is {name} a module, or a name in one? Import it in {module}.py."


@points(1, after=READ)
def test_what_a_file_takes_from_another_is_there(project):
    """What a file takes from another of your files is defined there"""
    require_imports(project)
    stored = {name for module in project.trees for name in project.stored(module)}
    lines, hint = [], None
    for module in project.reached():
        for use in project.uses(module):
            names = project.names(use.module)
            if not use.certain or names is None or project.hides_a_package(use.module):
                continue
            if use.name in names | stored or use.name.startswith("__"):
                continue
            owner = project.owner(use.name)
            hint = hint or (
                f"Compare this line with {use.module}.py: which of the two spellings is right? (A "
                "private name is for its own file.)"
                if owner and owner[0] == use.module
                else f"Open {use.module}.py: which name there does what this line needs?"
            )
            lines.append(
                f"{module}.py, line {use.line}: {use.text}\n"
                f"but {use.module}.py has no {use.name}{project.place_of(use.name)}"
            )
    expect_none(
        lines,
        "a name that is taken from another file is defined there, with the same spelling",
        hint=hint,
    )


@points(1, after=READ)
def test_no_import_leads_back(project, note):
    """The imports of your files make no circle"""
    require_imports(project)
    circles, lines, hint = set(), [], None
    for module in project.reached():
        way = project.path(module, module, deferred=False)
        if project.hides_a_package(module):
            continue
        if way and frozenset(way) not in circles:
            circles.add(frozenset(way))
            lines += project.steps(way)
            hint = hint or (
                f"While Python is still busy with the imports of {module}.py, none of its names is "
                "defined yet. Which of these lines can you remove?"
            )
        elif not way and (way := project.path(module, module)):
            note(f"there is a circle inside a function: {'; '.join(project.steps(way))}")
    expect_none(lines, "no file imports itself by way of other files", hint=hint)


@points(
    2,
    after=(
        READ,
        "test_each_file_knows_every_name_it_uses",
        "test_what_a_file_takes_from_another_is_there",
        "test_no_import_leads_back",
    ),
)
def test_each_file_can_be_imported_alone(project, submission):
    """Each file can be imported by itself"""
    for module in project.reached():
        for item in project.imports(module):
            if item.module in project.trees and project.hides_a_package(item.module):
                raise CheckError(
                    "no file of yours has the name of a module of Python or of a package",
                    call=f"import {module}",
                    got=f"{module}.py, line {item.line}: `{item}` means two modules, your file "
                    f"{item.module}.py and another one, which packages need",
                    hint=f"Rename {item.module}.py: in this folder, it hides the other module.",
                )
    for module in project.reached():
        call = submission.call(module, None)
        is_missing = (call.error or {}).get("type") == "ModuleNotFoundError"
        expect(
            not call.error and (call.process.running or call.returned),
            f"{module}.py imports only what is there: packages that are installed, and your files"
            if is_missing
            else f"{module}.py can be imported by a program that has imported nothing else",
            call=call,
            hint=call.hint,
        )


@points(1, after=(READ, "test_each_file_can_be_imported_alone"))
def test_each_import_brings_what_its_name_is_used_for(project, submission):
    """Each import brings what the file uses it for"""
    lines, first = [], None
    for module in project.reached():
        known = submission.names_at_run(module) or {}
        for name, attribute, line in project.dots(module):
            has = known.get(name)
            if has is None or attribute in has or attribute in project.stored(module):
                continue
            first = first or (module, name)
            lines.append(f"{module}.py, line {line}: {name} has no {attribute}")
    expect_none(
        lines,
        "each name before a dot has the attribute after the dot",
        call=first and f"import {first[0]}",
        hint=first
        and f"Is {first[1]} a module or a function in {first[0]}.py? Look for every line that "
        "defines this name: the last one counts.",
    )


@points(1, after=READ)
def test_the_worker_can_reach_the_queue(project):
    """worker.py can reach q, the queue of jobs.py, for its missing decorator"""
    queues = project.carriers_of("HotQueue", but=["worker"])
    places = [(name, project.resolve(name, "q")) for name in project.reached() if name != "worker"]
    queues |= {place for _, place in places if place}
    got = "neither jobs.py nor what it imports makes a queue"
    hint = "Search your files for HotQueue: which line makes the queue, and is its name q?"
    expect(queues, "q is made in jobs.py, where both programs find it", got=got, hint=hint)
    home = f"{min(queues, key=str)[0]}.py"
    own = project.queues_made_in("worker")
    reached = any(project.reaches("worker", queue) for queue in queues)
    if own and (not reached or any(name in ("queue", None) for name, _ in own)):
        raise CheckError(
            f"worker.py uses the q of {home}, so that both programs share one queue",
            got=f"worker.py, line {own[0][1]}, makes another queue",
            hint="Two files now contain the queue's name, database and address. If you change one "
            "file, at which queue does the worker wait?",
        )
    taken = "; ".join(f"{item} (line {item.line})" for item in project.imports("worker"))
    expect(
        reached,
        f"worker.py imports something that leads to q in {home}, because its decorator will need q",
        got=f"worker.py imports only this: {taken}" if taken else "worker.py imports nothing",
        hint="A comment in worker.py marks a missing decorator. Which import brings the object "
        "that has a method `worker`?",
    )
