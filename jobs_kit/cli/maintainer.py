"""The commands for maintainers of the kit."""


def press(options):
    """Write the starter files in exercises/ from the masters in solutions/."""
    from jobs_kit.course.places import MATERIAL
    from jobs_kit.course.press import write

    for path in write():
        print("pressed", path.relative_to(MATERIAL))


COMMANDS = {press: None}
