"""The commands for instructors."""

from jobs_kit.cli.common import end_at_sigterm, exercise_list, existing_folder, fail


def grade(options):
    """Grade a folder of submissions."""
    from jobs_kit.grading.batch import terminal
    from jobs_kit.grading.sandbox.containment import NotContainedError

    end_at_sigterm()
    try:
        return terminal.grade(options)
    except NotContainedError as problem:
        return fail(f"{problem}. To grade without this protection, add --uncontained")
    except KeyboardInterrupt:
        fail(
            f"stopped. The results so far are in {options.out}; run the same command again to go on"
        )
        return 130


def _grade_options(command):
    command.epilog = exercise_list

    def add(name, metavar, text, **options):
        command.add_argument(name, metavar=metavar, help=text, **options)

    text = "folder of submissions: a folder or zip file for each student, or a platform's download"
    command.add_argument("submissions", help=text)
    add("--out", "FOLDER", "folder for grades, results and feedback", required=True)
    several = {"action": "append", "default": []}
    add(
        "--exercise",
        "ID",
        "grade only this exercise, into its own --out; may be repeated",
        **several,
    )
    text = (
        "grade this student (the name in grades.csv's column student) again, even if nothing "
        "changed; others keep their results, and who has none yet is graded too; may be repeated"
    )
    add("--only", "STUDENT", text, **several)
    text = (
        "keep the earlier result of a submission whose files are all older than this day, such as "
        "2026-11-24 or 2026-11-24T18:00, by their dates; what has no result yet is graded"
    )
    add("--since", "DAY", text)
    add(
        "--jobs",
        "N",
        "students graded at the same time (default: what processors and memory allow)",
        type=int,
    )
    add("--roster", "CSV", "class list: grades.csv keeps its columns and rows")
    text = (
        "folder of your own checks (adds their points; students see their messages, not their code)"
    )
    add("--hidden", "FOLDER", text)
    text = "package that answers may import besides those installed with the kit; may be repeated"
    add("--allow", "PACKAGE", text, **several)
    text = "the folder is one student's work, whatever is in it: a repository, for example"
    command.add_argument("--single", action="store_true", help=text)
    text = "also write results.json for Gradescope"
    command.add_argument("--gradescope", action="store_true", help=text)
    text = "grade even if the system can't isolate student code"
    command.add_argument("--uncontained", action="store_true", help=text)


def gradescope(options):
    """Write an autograder for Gradescope, as a zip file."""
    from pathlib import Path

    from jobs_kit.publish.gradescope.zip_file import make_autograder, write_zip

    autograder = make_autograder(options.exercise, options.hidden)
    write_zip(autograder, Path(options.zip_file))
    print(
        f"Written: {options.zip_file}. On Gradescope, create a programming assignment with "
        f"{autograder.points:g} points, and upload this file under Configure Autograder"
    )


def _gradescope_options(command):
    command.epilog = exercise_list
    command.add_argument("zip_file", metavar="OUT.zip", help="file to write")
    text = "grade only this exercise; may be repeated"
    command.add_argument("--exercise", metavar="ID", action="append", default=[], help=text)
    text = "folder of your own checks, which the zip file gets, too"
    command.add_argument("--hidden", metavar="FOLDER", type=existing_folder, help=text)


COMMANDS = {grade: _grade_options, gradescope: _gradescope_options}
