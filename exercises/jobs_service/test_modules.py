"""The thirteen definitions stand in api.py, jobs.py and worker.py, private where nobody else asks.

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
CLIENTS = ("q", "rd")
HELPERS = ("generate_jid", "generate_job_key", "instantiate_job", "save_job", "queue_job")
FOR_OTHERS = ("q", "add_job", "update_job_status")
THIRTEEN = (*API, *WORKER, "rd", *HELPERS, *FOR_OTHERS)
BY_THE_INTERPRETER = (*API, *WORKER)  # reached without their name, so a function may hold them


def is_attempted(source):
    """Return True when some file defines something; raise NotAttemptedError if none does."""
    if source.definitions():
        return True
    raise NotAttemptedError(
        "nothing to judge yet: no definition is in api.py, jobs.py or worker.py"
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
        "For each definition ask: which program calls it? The API, the worker, or both?",
        "What answers requests goes into api.py, what does the work into worker.py, and all that "
        "knows how a job is stored or queued into jobs.py; there, what no other file calls gets "
        "an underscore.",
        "api.py: app, jobs_api and the app.run entry point. worker.py: execute_job. jobs.py: the "
        "other nine, with _generate_jid, _generate_job_key, _instantiate_job, _save_job and "
        "_queue_job private.",
    ),
)


def found_in(project):
    """Return {one of the thirteen: its Sites}, those that count."""
    return project.sites_of(THIRTEEN, may_be_inside=BY_THE_INTERPRETER)


def once(project):
    """Return {one of the thirteen: its Site} of those that are there exactly once."""
    return {name: sites[0] for name, sites in found_in(project).items() if len(sites) == 1}


def require_two_files(project):
    """Raise NotReachedError as long as all that is defined stands in one place."""
    homes = {site.module for sites in found_in(project).values() for site in sites}
    if "jobs" not in homes or not homes & {"api", "worker"}:
        raise NotReachedError("this can only be seen when jobs.py and a program have definitions")


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
        hint = "How far is that definition indented, and which line is it indented under?"
    elif twice:
        hint = "If you change one of the two later, what will the program that uses the other do?"
    elif others:
        hint = "Has something been renamed? An underscore in front is the only change of a name."
    else:
        hint = "Tick off the thirteen in definitions.py: which have you not moved yet?"
    expect_none(
        lines,
        "each of the thirteen is defined in one place, in api.py, jobs.py or worker.py "
        "(definitions.py itself does not count)",
        hint=hint,
    )


@points(2, after="test_python_can_read_every_file")
def test_each_definition_is_in_its_file(project):
    """Each definition is in the file that it belongs to"""
    wrong = {}
    for name, site in once(project).items():
        home = "api" if name in API else "worker" if name in WORKER else "jobs"
        own_module = name in CLIENTS and site.module not in project.main
        if site.module != home and not own_module:
            wrong[name] = f"{shown(name)} is in {site}"
    name = next(iter(wrong), None)
    if name in API:
        hint = f"Which of the two programs answers HTTP requests, and so needs {shown(name)}?"
    elif name in WORKER:
        hint = "Which of the two programs does the work? Who else would ever call execute_job?"
    else:
        hint = f"Which file would both programs import, and so find {name} there?"
    expect_none(
        wrong.values(),
        "api.py has what answers requests, worker.py what does the work, jobs.py all that knows "
        "how a job is stored and queued",
        hint=hint,
    )


@points(1, after="test_python_can_read_every_file")
def test_helpers_are_private(project, note):
    """What only jobs.py itself uses is private"""
    sites = [site for name, site in once(project).items() if name in HELPERS]
    if not sites:
        raise NotReachedError("this can only be seen when one of the five helpers is there")
    wrong = [site for site in sites if site.name != f"_{site.plain_name}"]
    expect_none(
        [f"{site.name} ({site})" for site in wrong],
        "the names of the five that only jobs.py calls begin with one underscore, the mark of what "
        "is private",
        hint=wrong and hint_for_privacy(wrong[0].name),
    )
    private = {site.plain_name: site.name for site in sites}
    for name in project.missing("jobs"):
        if name.name in private:
            note(
                f"jobs.py, line {name.line}, still calls {name.name}, which is {private[name.name]} "
                "now; the exercise `imports` will ask for that"
            )


def hint_for_privacy(name):
    """Return a question that leads to the underscore that a helper needs."""
    if name.startswith("__"):
        return f"With how many underscores does {name} begin, and how many mark what is private?"
    return f"Search the three files for {name}: who calls it?"


@points(1, after="test_python_can_read_every_file")
def test_names_for_others_are_public(project):
    """What the API and the worker need from jobs.py is public"""
    require_two_files(project)
    sites = [site for name, site in once(project).items() if name in FOR_OTHERS]
    wrong = [site for site in sites if is_private(site.name)]
    expect_none(
        [f"{site.name} ({site})" for site in wrong],
        "q, add_job and update_job_status have no underscore: other files use them",
        hint="Which line of api.py or worker.py, now or in a later part, needs this name?",
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
        "a name that begins with an underscore is used in its own file alone",
        hint=f"Which public function of {wrong[0][1].module}.py does what is wanted here? "
        "If there is none, is the name rightly private?"
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
        "api.py and worker.py use jobs.py, and jobs.py knows neither of them",
        hint=f"Which line of jobs.py needs something of {ways[0][-1]}.py, and where does that "
        "belong?"
        if ways
        else None,
    )
