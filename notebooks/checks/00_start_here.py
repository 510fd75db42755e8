"""The gap of lesson 00; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect, setup_code

THERE_AND_BACK = Gap(
    __file__,
    "there_and_back",
    "Put a name on the queue and get it back",
    before=setup_code("hello"),
    blank="""def there_and_back(name):
    ...
""",
    hint="One method of q puts a message, another one gets it. Which line gives the result back?",
    wrong=(
        ("test_it_returns_the_name", "def there_and_back(name):\n    q.put(name)\n    q.get()\n"),
        ("test_the_name_goes_through_redis", "def there_and_back(name):\n    return name\n"),
    ),
)


@THERE_AND_BACK.check
def test_it_returns_the_name(submission):
    """there_and_back("Ada") returns "Ada\""""
    call = submission.call("there_and_back", "there_and_back", "Ada")
    expect(
        call.value == "Ada", '"Ada"', call=call, hint="Which line returns what q.get() gave you?"
    )


@THERE_AND_BACK.check
def test_the_name_goes_through_redis(submission):
    """The name goes to Redis and comes back from there"""
    call = submission.call("there_and_back", "there_and_back", "Ada")
    expect(
        submission.redis.pushes() and submission.redis.pops(),
        "one message is put, and one is taken",
        call=call,
        got="Redis saw no put or no get",
        hint="Which of the two methods of q is missing?",
    )
