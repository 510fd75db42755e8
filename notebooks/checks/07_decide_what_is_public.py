"""The gaps of lesson 07; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect

IS_PRIVATE = Gap(
    __file__,
    "is_private",
    "Write the rule of the underscore",
    blank="""def is_private(name):
    ...
""",
    hint="How does a private name begin, and how do names such as __init__ end?",
    wrong=(
        ("test_it_knows_the_names", 'def is_private(name):\n    return name.startswith("_")\n'),
        ("test_it_knows_the_names", 'def is_private(name):\n    return "_" in name\n'),
    ),
)


@IS_PRIVATE.check
def test_it_knows_the_names(submission):
    """It tells private names from all others"""
    names = {"_padded": True, "file_name": False, "__init__": False, "MINYEAR": False, "_": True}
    for name, expected in names.items():
        call = submission.call("is_private", "is_private", name)
        expect(
            bool(call.value) is expected,
            str(expected),
            call=call,
            hint="Is this name private? What does your line look at: the beginning, the end, or both?",
        )


OLD_NAME = Gap(
    __file__,
    "old_name",
    "Keep the old name for a while",
    beside={"album.py": "import photos\n\nprint(photos.file_name(0), photos.file_name(1))\n"},
    blank="""%%writefile scratch/album/photos.py
def name_of(number):
    return f"photo-{number:04}.jpg"
""",
    hint="A function is a value. What makes a second name for it?",
    wrong=(
        (
            "test_the_new_name_works",
            """%%writefile scratch/album/photos.py
def file_name(number):
    return f"photo-{number:04}.jpg"
""",
        ),
        (
            "test_the_album_runs_again",
            """%%writefile scratch/album/photos.py
def name_of(number):
    return f"photo-{number:04}.jpg"

file_name = name_of(0)
""",
        ),
    ),
)


@OLD_NAME.check
def test_the_album_runs_again(submission):
    """album.py runs as before"""
    process = submission.start("album.py")
    submission.until(lambda: not process.running)
    expect(
        process.output.split() == ["photo-0000.jpg", "photo-0001.jpg"],
        "photo-0000.jpg photo-0001.jpg",
        call="python album.py",
        got=process.output.strip()[-300:] or "it printed nothing",
        hint="Which name does album.py use, and what does your module call it?",
    )


@OLD_NAME.check
def test_the_new_name_works(submission):
    """name_of() works too"""
    call = submission.call("photos", "name_of", 7)
    expect(
        call.value == "photo-0007.jpg",
        '"photo-0007.jpg"',
        call=call,
        hint="The new name must stay. Which line adds the old one?",
    )
