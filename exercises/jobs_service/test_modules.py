"""The thirteen definitions are in api.py, jobs.py and worker.py; names for one file are private.

Only the files are read: at this point of the project none of them can run yet.
"""

from jobs_kit.grading import (
    Exercise,
    NotAttemptedError,
    NotReachedError,
    Shuffled,
    expect_none,
    is_private,
    points,
)

API = ("app", "jobs_api", "app.run")
WORKER = ("execute_job",)
CLIENTS = {"q": "HotQueue", "rd": "Redis"}  # a class or a function may hold them, too
HELPERS = ("generate_jid", "generate_job_key", "instantiate_job", "save_job", "queue_job")
FOR_OTHERS = ("q", "add_job", "update_job_status")
THIRTEEN = (*API, *WORKER, "rd", *HELPERS, *FOR_OTHERS)
BY_THE_INTERPRETER = (*API, *WORKER)  # reached without their name, so a function may hold them


def is_attempted(source):
    """Return True when some file defines something; raise NotAttemptedError if none does."""
    if source.definitions():
        return True
    raise NotAttemptedError(
        "nothing to judge yet: there is no definition in api.py, jobs.py or worker.py"
    )


EXERCISE = Exercise(
    __file__,
    number=30,
    lesson="decide_what_is_public",
    title="Sort the thirteen definitions into modules",
    files=("api.py", "jobs.py", "worker.py"),
    changes={"api.py": (), "jobs.py": (), "worker.py": ()},
    is_attempted=is_attempted,
    shuffled=Shuffled(
        "definitions.py",
        docstring="The thirteen definitions of a Jobs service, in no order.",
        names=THIRTEEN,
    ),
    hints=(
        "Ask for each definition: which program calls it, the API, the worker, or both?",
        "Code that answers requests goes into api.py, code that does the work into worker.py, and "
        "everything about how a job is stored or queued into jobs.py. A name there that no other "
        "file uses gets an underscore.",
        "api.py: app, jobs_api and the app.run entry point. worker.py: execute_job. jobs.py: the "
        "other nine, with _generate_jid, _generate_job_key, _instantiate_job, _save_job and "
        "_queue_job private.",
    ),
)


def found_in(project):
    """Return {one of the thirteen: its Sites}, those that count."""
    found = project.sites_of(THIRTEEN, may_be_inside=BY_THE_INTERPRETER)
    for name, kind in CLIENTS.items():
        found[name] = found[name] or project.sites_of_carriers(kind, name)[:1]
    return found


def once(project):
    """Return {one of the thirteen: its Site} of those that are there exactly once."""
    return {name: sites[0] for name, sites in found_in(project).items() if len(sites) == 1}


def require_two_files(project):
    """Raise NotReachedError as long as everything is defined in one place."""
    homes = {site.module for sites in found_in(project).values() for site in sites}
    if "jobs" not in homes or not homes & {"api", "worker"}:
        raise NotReachedError("this check needs definitions in jobs.py and in a program")


def shown(name):
    """Return a definition as students see it."""
    return "app.run(...)" if name == "app.run" else name


def where_else(project, name):
    """Return in words why a definition is missing that seems to be there."""
    for module in project.reached():
        for site in project.sites(module):
            if site.plain_name == name and site.inside:
                return f" ({site}, is inside {site.inside})"
    return ""


@points(1)
def test_python_can_read_every_file(project):
    """Python can read api.py, jobs.py and worker.py"""


@points(2, after="test_python_can_read_every_file")
def test_each_definition_is_there_once(project):
    """Each of the thirteen definitions is there exactly once"""
    missing, twice = [], []
    for name, sites in found_in(project).items():
        if not sites:
            missing.append(shown(name) + where_else(project, name))
        elif len(sites) > 1:
            twice.append(f"{shown(name)}: " + "; ".join(map(str, sites)))
    lines = [f"missing: {line}" for line in missing]
    lines += [f"more than once: {line}" for line in twice]
    others = [
        f"{site.name} ({site})"
        for module in project.reached()
        for site in project.sites(module)
        if site.inside is None and site.plain_name not in THIRTEEN
    ]
    if missing and others:
        lines.append("definitions.py does not have: " + ", ".join(others[:5]))
    if any("inside" in line for line in missing):
        hint = "That definition is indented. Under which line, and does it belong there?"
    elif twice:
        hint = "Which of the two should stay? If you change one later, the other stays as it was."
    elif others:
        hint = "Did you rename something? The only change to a name is one underscore in front."
    else:
        hint = "Tick off the thirteen in definitions.py: which ones have you not moved yet?"
    expect_none(
        lines,
        "each of the thirteen is defined in one place, in api.py, jobs.py or worker.py "
        "(definitions.py itself does not count)",
        hint=hint,
    )


@points(2, after="test_python_can_read_every_file")
def test_each_definition_is_in_its_file(project):
    """Each definition is in the file in which it belongs"""
    wrong = {}
    for name, site in once(project).items():
        home = "api" if name in API else "worker" if name in WORKER else "jobs"
        own_module = name in CLIENTS and site.module not in project.main
        if site.module != home and not own_module:
            wrong[name] = f"{shown(name)} is in {site}"
    name = next(iter(wrong), None)
    if name in API:
        hint = f"Which of the two programs answers HTTP requests and needs {shown(name)}?"
    elif name in WORKER:
        hint = "Which of the two programs does the work? Only that one needs execute_job."
    else:
        hint = f"Which file do both programs import, so that both find {name} there?"
    expect_none(
        wrong.values(),
        "api.py answers requests, worker.py does the work, and jobs.py contains everything about "
        "how a job is stored and queued",
        hint=hint,
    )


@points(1, after="test_python_can_read_every_file")
def test_helpers_are_private(project, note):
    """What only jobs.py uses is private"""
    sites = [site for name, site in once(project).items() if name in HELPERS]
    if not sites:
        raise NotReachedError("this check needs at least one of the five helpers")
    wrong = [site for site in sites if site.name != f"_{site.plain_name}"]
    expect_none(
        [f"{site.name} ({site})" for site in wrong],
        "the five names that only jobs.py calls begin with one underscore, which marks them as "
        "private",
        hint=wrong and hint_for_privacy(wrong[0].name),
    )
    private = {site.plain_name: site.name for site in sites}
    for name in project.missing("jobs"):
        if name.name in private:
            note(
                f"jobs.py, line {name.line}, still calls {name.name}, which is now "
                f"{private[name.name]}; the exercise `imports` checks this"
            )


def hint_for_privacy(name):
    """Return a question that leads to the underscore that a helper needs."""
    if name.startswith("__"):
        return f"How many underscores does {name} begin with? One marks a private name."
    return f"Search the three files for {name}: which of them call it?"


@points(1, after="test_python_can_read_every_file")
def test_names_for_others_are_public(project):
    """What the API and the worker need from jobs.py is public"""
    require_two_files(project)
    sites = [site for name, site in once(project).items() if name in FOR_OTHERS]
    wrong = [site for site in sites if is_private(site.name)]
    expect_none(
        [f"{site.name} ({site})" for site in wrong],
        "q, add_job and update_job_status have no underscore, because other files use them",
        hint="Which line of api.py or worker.py needs this name, now or in a later exercise?",
    )


@points(1, after="test_python_can_read_every_file")
def test_no_private_name_is_used_outside(project):
    """No file uses a private name of another file"""
    require_two_files(project)
    wrong = [
        (module, use)
        for module in project.reached()
        for use in project.uses(module)
        if is_private(use.name)
    ]
    lines = [f"{m}.py, line {u.line}: {u.text}, private in {u.module}.py" for m, u in wrong]
    expect_none(
        lines,
        "a name that begins with an underscore is used only in its own file",
        hint=f"Which public function of {wrong[0][1].module}.py does what this line needs? "
        "(If there is none, the name may have to be public.)"
        if wrong
        else None,
    )


@points(1, after="test_python_can_read_every_file")
def test_jobs_imports_neither_program(project):
    """jobs.py imports neither api.py nor worker.py"""
    require_two_files(project)
    ways = [way for name in ("api", "worker") if (way := project.path("jobs", name))]
    lines = [line for way in ways for line in project.steps(way)]
    expect_none(
        lines,
        "api.py and worker.py use jobs.py, and jobs.py uses neither of them",
        hint=f"What does jobs.py need from {ways[0][-1]}.py? It belongs in jobs.py itself."
        if ways
        else None,
    )
