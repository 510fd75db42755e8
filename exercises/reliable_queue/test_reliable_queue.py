"""ReliableQueue of reliable.py loses no message if a worker is killed, and keeps their order."""

from jobs_kit.grading import Exercise, WorkerScenario, after, expect, points


def _is_attempted(source):
    """Tell whether a class is defined, of whatever name: the first check asks for the right one."""
    defined = source.definitions()
    return bool(defined) and (
        "ReliableQueue" not in defined or source.differs("ReliableQueue", "reliable.py")
    )


EXERCISE = Exercise(
    __file__,
    number=130,
    lesson="survive_poison_and_restarts",
    title="Write a queue that loses nothing",
    files=("reliable.py",),
    changes={"reliable.py": ("ReliableQueue",)},
    is_attempted=_is_attempted,
    side_by_side=True,
    hints=(
        "With HotQueue, a message is only inside the worker while the worker is busy with it. Which "
        "command moves it from one list in Redis to another, in one step?",
        "Keep three things in Redis: the queue, a list for each worker with the messages it holds, "
        "and a key for each worker that expires unless a thread renews it. Before a worker claims "
        "a message, it puts back what workers without such a key hold.",
        "Claim: blmove(queue, held, seconds). After the yield: lrem(held, 1, text). In a daemon "
        "thread, three times per lease: set(alive, 1, px=milliseconds). Recover: for each held "
        'list whose alive key is gone, lmove(held, queue, "RIGHT", "LEFT") until it returns None.',
    ),
)

LEASE = 0.5  # seconds, where a worker is killed
PATIENCE_WHEN_IDLE = 4  # seconds for a step that takes one at most, on a busy machine


@points(1)
def test_put_and_len_work_as_in_hotqueue(submission):
    """put() and len() work as they do in HotQueue"""
    scenario = WorkerScenario(submission)
    scenario.put("first")
    scenario.put("second", "third")
    lengths = scenario.noted("length")
    expect(
        lengths == ["1", "3"],
        "len(q) is the number of messages that wait: 1, then 3",
        call='q.put("first"); len(q); q.put("second", "third"); len(q)',
        got=f"len(q) was {', then '.join(lengths)}",
        hint="put() adds the messages to one key. Does len() count at the same key?",
    )


@points(1, after="test_put_and_len_work_as_in_hotqueue")
def test_messages_come_in_order(submission):
    """A worker gets each message once, in the order in which they were put"""
    scenario = WorkerScenario(submission)
    words = ["first", "second", "third", "fourth", "second"]
    scenario.put(*words)
    call = f"q.put({', '.join(map(repr, words))}); for message in q.consume(): work(message)"
    ana = scenario.worker("ana")
    scenario.wait(
        lambda: len(scenario.noted("done")) >= len(words),
        "ana does all five",
        call,
        ana,
        got=scenario.done_so_far,
        hint=lambda: (
            "The next message never comes. Which line after the yield does not end, or ends the loop?"
            if scenario.noted("begun")
            else "Compare the key and the db that put() writes to with those that consume() reads."
        ),
    )
    done = scenario.messages("done")
    got = f"ana did {', '.join(done)}"
    hint = _hint_for_order(done, words)
    expect(done == words, f"ana does {', '.join(words)}", call=call, got=got, hint=hint)
    scenario.expect_address(ana)
    before = len(scenario.noted("length"))
    scenario.wait(
        lambda: len(scenario.noted("length")) > before,
        "len(q) is 0 when everything is done",
        call,
        ana,
        scenario.counter(),
        got=lambda: "len(q) stays above 0, and ana has nothing more to do",
        hint="Which line removes an acknowledged message from the key that len() counts?",
        hopeless=after(PATIENCE_WHEN_IDLE),
    )


def _hint_for_order(done, words):
    """Return a question that leads from the messages that were done to the mistake."""
    if sorted(done) == sorted(words):
        return "put() adds at the right end of the list. At which end do you take a message?"
    if set(done) <= set(words):
        return "Which line removes a message that is done? It must leave the other messages alone."
    return "put() turns a message into text with the serializer. Which line turns it back?"


@points(1, after="test_messages_come_in_order")
def test_two_workers_share(submission):
    """Two living workers share the messages, and no message goes to both"""
    scenario = WorkerScenario(submission)
    ana = scenario.start_ana()
    ben = scenario.worker("ben")
    scenario.put("second", "third")
    call = f"{scenario.BUSY}; ben works on the same queue"
    _ben_does(scenario, "third", call, ben)
    # ben has asked for more by now, and asks once more
    scenario.put("fourth")
    _ben_does(scenario, "fourth", call, ben)
    scenario.go("ana")
    scenario.wait_done("first", "ana does 'first' to its end", call, ana, hint=scenario.NEXT_HINT)
    expect(
        sorted(scenario.messages("done")) == ["first", "fourth", "second", "third"],
        "each message is done once",
        call=call,
        got=f"done, in this order: {', '.join(scenario.noted('done'))}",
        hint="Which line takes a message? Two workers may run it at the same moment.",
    )


def _ben_does(scenario, message, call, ben):
    """Wait until ben has done a message, while ana is busy with hers and keeps it."""
    scenario.wait(
        lambda: scenario.names("done", message) or len(scenario.names("begun", "first")) > 1,
        f"ben does {message!r} while ana is busy",
        call,
        ben,
        got=scenario.done_so_far,
        hint="The queue has a message, and ben doesn't get it. Which line of consume() does he wait in?",
    )
    expect(
        len(scenario.names("begun", "first")) == 1,
        "ben leaves 'first' alone: ana lives, and her lease has not run out",
        call=call,
        got=scenario.begun_in_order(),
        hint="Which line checks that ana is dead before ben takes the message that she holds?",
    )


@points(1, after="test_messages_come_in_order")
def test_a_time_out_ends_an_idle_worker(submission):
    """@q.worker(timeout=1) does the messages that wait, and returns after an idle second"""
    scenario = WorkerScenario(submission)
    scenario.put("first", "second")
    idler = scenario.idler()
    expected = "work() does both messages, and returns after a second without another one"
    call = f"{idler.call_text}; 'first' takes it more than a second, while 'second' waits"
    hint = "Which line ends the loop of consume()? The second begins with the last message."
    scenario.wait(lambda: len(scenario.noted("done")) > 1, expected, call, idler, hint=hint)
    patient, idle = scenario.worker("ben"), after(1.5)  # beside the idler: it saves a second
    scenario.wait(
        lambda: scenario.noted("returned"),
        expected,
        call,
        idler,
        got=lambda: "it did both, and still waits for a message",
        hint="Follow the argument timeout=1. Does it reach the line that waits?",
        hopeless=after(PATIENCE_WHEN_IDLE),
    )
    submission.until(lambda: idle() or not patient.running)
    scenario.put("third")
    scenario.wait_done(
        "third",
        "without a timeout, consume() waits for a message as long as it takes",
        f"{patient.call_text}\nnothing comes for more than a second; then q.put('third')",
        patient,
        hint="Without a timeout, timeout is None. Which line ends the loop all the same?",
    )


@points(2, after="test_two_workers_share")
def test_a_killed_workers_message_comes_back(submission):
    """If a worker is killed in the middle of a job, another one does its message after the lease"""
    scenario = WorkerScenario(submission, LEASE)
    ana, ben = scenario.start_both()
    scenario.kill(ana)
    held = scenario.held("first")
    scenario.comes_back(
        "first",
        f"ben gets 'first' when ana's lease of {LEASE} s has run out, and does it",
        f"{scenario.BUSY}; ben waits at the same queue; kill -9 ana",
        ben,
        hint=lambda: (
            "'first' is still in Redis. Which line should put it back, and how often does a waiting "
            "worker run that line?"
            if scenario.places("first")
            else "Which command keeps a message in Redis while a worker works on it? Here one command "
            "removed it too early."
        ),
    )
    gap = scenario.gap("first") or scenario.gap("first", held)
    expect(
        not gap,
        "'first' is in Redis at every moment, until it is done",
        call="the commands that the workers sent to Redis",
        got=gap and f"between these two commands it is nowhere:\n{gap[0]}\n{gap[1]}",
        hint="If the worker is killed between these two, 'first' is lost. Which single command does "
        "both?",
    )


@points(1, after="test_a_killed_workers_message_comes_back")
def test_a_worker_that_starts_later_finds_it(submission):
    """If no other worker runs when one is killed, a worker that starts later finds its message"""
    scenario = WorkerScenario(submission, LEASE)
    scenario.kill(scenario.start_ana())
    submission.until(after(1.5 * LEASE))
    ben = scenario.worker("ben")
    scenario.comes_back(
        "first",
        "ben finds 'first' and does it",
        f"{scenario.BUSY}; kill -9 ana; her lease runs out; then ben is started",
        ben,
        hint="Ben has never seen ana. Which keys in Redis show him that she held a message?",
    )


@points(1, after="test_a_killed_workers_message_comes_back")
def test_what_was_acknowledged_stays_away(submission):
    """A message that is done is not delivered again, even if its worker is killed later"""
    scenario = WorkerScenario(submission, LEASE)
    scenario.kill(scenario.start_ana_with_second())
    ben = scenario.worker("ben")
    call = "ana does 'first', takes 'second' and is killed in the middle of it; ben is started"
    scenario.comes_back("second", "ben does 'second'", call, ben)
    scenario.put("third")
    scenario.comes_back("third", "ben does 'third'", call, ben)
    scenario.expect_begun(
        "first",
        ["ana"],
        "no worker gets 'first' again: ana asked for the next message, so it was done",
        call,
        "Look at what ana still held when she died. The text that you remove must be spelled "
        "exactly like the message on the list. Is it?",
    )
    scenario.expect_begun(
        "second",
        ["ana", "ben"],
        "no worker gets 'second' again: ben did it, and asked for the next one",
        call,
        "Ana's message went back to the queue. Is it still on her list as well?",
    )
    scenario.rest(ben)
    scenario.kill(ben)
    submission.until(after(1.5 * LEASE))
    cyd = scenario.worker("cyd")
    call = "ben does 'third', and is killed while he waits for the next message; cyd is started"
    for message in ("fourth", "fifth"):
        scenario.put(message)
        scenario.comes_back(message, f"cyd does {message!r}", call, cyd)
    scenario.expect_begun(
        "third",
        ["ben"],
        "no worker gets 'third' again: ben asked for the next message, so it was done",
        call,
        "The next message may take long. Is 'third' acknowledged before ben waits for it?",
    )


@points(1, after="test_a_killed_workers_message_comes_back")
def test_a_message_survives_two_workers(submission):
    """A message also survives a second killed worker"""
    scenario = WorkerScenario(submission, LEASE)
    scenario.kill(scenario.start_ana())
    ben = scenario.worker("ben", holds=True)
    call = f"{scenario.BUSY}; kill -9 ana; ben takes it, too; kill -9 ben; then cyd"
    scenario.comes_back("first", "ben gets 'first'", call, ben, what="begun")
    scenario.kill(ben)
    cyd = scenario.worker("cyd")
    scenario.comes_back(
        "first",
        "cyd gets 'first' and does it",
        call,
        cyd,
        hint="Ben got this message from ana's list. On which list was it while he worked?",
    )


@points(1, after="test_a_killed_workers_message_comes_back")
def test_a_slow_worker_keeps_its_message(submission):
    """A living worker keeps its message, even if the job takes longer than the lease"""
    # a busy machine may keep a thread of the answer from running: then once more, with more time
    for lease in (LEASE, 4 * LEASE):
        submission.redis.reset()
        scenario = WorkerScenario(submission, lease)
        ana = scenario.start_ana_with_second()
        ben = scenario.worker("ben")
        over = after(2.2 * lease)
        submission.until(
            lambda scenario=scenario, over=over: scenario.names("begun", "second")[1:] or over()
        )
        robbed = len(scenario.names("begun", "second")) > 1
        if not robbed:
            break
        scenario.kill(ana)
        scenario.kill(ben)
    call = f"ana has done 'first', and works on 'second' for more than two leases of {lease} s; "
    call += "ben has nothing to do"
    expect(
        not robbed,
        "ana keeps 'second' as long as she lives",
        call=call,
        got=scenario.begun_in_order() + scenario.complaints(),
        hint="Ana's own code is busy with the job. Which thread of her program renews her lease, and "
        "does it still run after her first message?",
    )
    scenario.go("ana")
    scenario.go("ana")  # she may be the one who takes 'third', too
    scenario.put("third")
    scenario.wait(
        lambda: scenario.names("done", "second") and scenario.names("done", "third"),
        "ana does 'second' to its end, and 'third' is done as well",
        call,
        ana,
        ben,
        hint=scenario.NEXT_HINT,
    )


@points(1, after="test_a_slow_worker_keeps_its_message")
def test_a_worker_that_stood_still_lives_again(submission):
    """A worker that stood still for longer than its lease lives again, and keeps its next message"""
    # a busy machine may keep a thread of the answer from running: then once more, with more time
    for lease in (LEASE, 4 * LEASE):
        submission.redis.reset()
        scenario = WorkerScenario(submission, lease)
        ana = scenario.start_ana("second")
        scenario.stand_still(ana, 1.5 * lease)
        submission.until(after(lease))  # she shows life again
        scenario.go("ana")
        call = f"ana works on 'first'; her program stands still for 1.5 leases of {lease} s and goes on;"
        call += " then she works on 'second'; ben has nothing to do"
        scenario.wait(
            lambda scenario=scenario: scenario.names("begun", "second"),
            "ana goes on with 'second'",
            call,
            ana,
            hint=scenario.NEXT_HINT,
        )
        ben, over = scenario.worker("ben"), after(2.2 * lease)
        submission.until(
            lambda scenario=scenario, over=over: scenario.names("begun", "second")[1:] or over()
        )
        robbed = len(scenario.names("begun", "second")) > 1
        if not robbed:
            break
        scenario.kill(ana)
        scenario.kill(ben)
    expect(
        not robbed,
        "ana keeps 'second': she lives, and shows it again",
        call=call,
        got=scenario.begun_in_order() + scenario.complaints(),
        hint="While she stood still, her lease ran out. What does your heartbeat do when there is no "
        "lease left to prolong?",
    )


@points(
    1, after=("test_a_worker_that_starts_later_finds_it", "test_what_was_acknowledged_stays_away")
)
def test_two_workers_bring_it_back_once(submission):
    """If two workers find the message of a dead one at the same moment, it comes back once"""
    hint = "One worker alone puts the message back. What do two of them do that run the same lines?"
    # a turn takes long on a busy machine, and the new lease may run out: then once more, with more time
    for lease in (LEASE, 4 * LEASE):
        submission.redis.reset()
        scenario = WorkerScenario(submission, lease)
        scenario.kill(scenario.start_ana())
        submission.until(after(1.5 * lease))
        ben, cyd = scenario.start_in_step("ben", "cyd")
        call = f"{scenario.BUSY}; kill -9 ana; her lease runs out; then ben and cyd are started "
        call += "together, and send their commands to Redis in turns"
        scenario.wait_done("first", "one of them does 'first'", call, ben, cyd, hint=hint)
        scenario.end_turns()
        scenario.put("second")
        scenario.wait_done("second", "one of them does 'second'", call, ben, cyd, hint=hint)
        if _is_done_once(scenario, ben, cyd):
            break
        scenario.kill(ben)
        scenario.kill(cyd)
    expect(
        len(scenario.names("begun", "first")) == 2,
        "only one of them does 'first'",
        call=call,
        got=scenario.begun_in_order(),
        hint="Both found that ana is dead, and both put her message back. Which single command moves a "
        "message, so that the second one finds none?",
    )


def _is_done_once(scenario, *workers):
    """Wait until these workers have nothing more to do; tell whether one of them alone did 'first'."""
    submission = scenario.submission
    submission.until(
        lambda: scenario.names("begun", "first")[2:] or all(map(submission.waits, workers)),
        seconds=1,
    )
    return len(scenario.names("begun", "first")) == 2


@points(1, after="test_what_was_acknowledged_stays_away")
def test_equal_messages_are_two(submission):
    """Two equal messages are two: one is done, the other comes back when its worker is killed"""
    scenario = WorkerScenario(submission, LEASE)
    ana = scenario.start_ana()
    scenario.put("first")
    ben = scenario.worker("ben")
    call = f"{scenario.BUSY}; another 'first' is put, and ben works on the same queue"
    hint = "Ana's message and ben's have the same text. Which line takes one for the other?"
    scenario.wait(
        lambda: scenario.names("done", "first"),
        "ben does the other 'first'",
        call,
        ben,
        got=scenario.begun_in_order,
        hint=hint,
        hopeless=after(2 * PATIENCE_WHEN_IDLE),
    )
    scenario.rest(ben)
    scenario.kill(ana)
    call += "; ben has done his; kill -9 ana"
    scenario.comes_back("first", "ben gets ana's, too", call, ben, times=2, hint=hint)
    scenario.put("second")
    scenario.comes_back("second", "ben does 'second'", call, ben)
    scenario.expect_begun("first", ["ana", "ben", "ben"], "each 'first' is done once", call, hint)


@points(
    1, after=("test_a_killed_workers_message_comes_back", "test_what_was_acknowledged_stays_away")
)
def test_a_job_that_raises_is_not_acknowledged(submission):
    """The message of a worker that dies of an exception comes back, too"""
    scenario = WorkerScenario(submission, LEASE)
    ana, ben = scenario.start_both()
    scenario.go("ana", "raise")
    submission.until(lambda: ana.events("error") or not ana.running)
    lingers, over = after(6 * LEASE), after(2 * LEASE)
    call = f"{scenario.BUSY}; her job raises a ValueError that nothing catches"
    scenario.comes_back(
        "first",
        "ben gets 'first' when ana's lease has run out, and does it",
        call,
        ben,
        hint=lambda: (
            "Ana's loop has ended, but her program still runs. Which thread keeps renewing her lease?"
            if ana.running
            else "Which lines of consume() run when an exception ends the loop?"
        ),
        hopeless=lambda: ana.running and lingers(),
    )
    submission.until(over)
    scenario.put("third")
    scenario.comes_back("third", "ben does 'third'", call, ben)
    scenario.expect_begun(
        "first",
        ["ana", "ben"],
        "no worker gets 'first' again: ben did it, and asked for the next one",
        call,
        "'first' comes back in two ways. Which line runs when ana's loop ends, and which one later?",
    )
