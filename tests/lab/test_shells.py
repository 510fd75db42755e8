"""Two shells beside a lesson: real kernels, driven as a cell drives them."""

import json
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import psutil
import pytest
from hotqueue import HotQueue

from jobs_kit.lab import kernel_output, transcript
from jobs_kit.lab.shells import open_shells

SECONDS = 30


@pytest.fixture
def shells(redis_url):
    """Open two shells that find the Redis of this test in their environment."""
    shells = open_shells("producer", "consumer")
    yield shells
    shells.close()


@pytest.fixture
def shell():
    """Open one shell."""
    shells = open_shells("only")
    yield shells["only"]
    shells.close()


@pytest.fixture
def page(shell, monkeypatch):
    """Play the page of one shell: page.sends({...}) and page.received."""
    received = []
    monkeypatch.setattr(shell.pane, "send", received.append)
    shell.run("0", wait=SECONDS)
    sends = lambda message: shell.pane._handle_custom_msg(message, [])  # noqa: E731
    return SimpleNamespace(sends=sends, received=received, pane=shell.pane)


def process_of(shell):
    """Return the psutil.Process of a shell's kernel."""
    shell.run("import os; print('process', os.getpid(), '.')", wait=SECONDS)
    return psutil.Process(int(re.findall(r"process (\d+) \.", printed(shell))[-1]))


def printed(shell):
    return kernel_output.drop_inputs(shell.text)


def gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_one_shell_consumes_what_the_other_puts(shells, address):
    where = ", ".join(f"{key}={value!r}" for key, value in address.items())
    make = "import json\nfrom hotqueue import HotQueue\n"
    make += f"q = HotQueue('some_queue', serializer=json, {where}, socket_timeout=None)"
    for shell in shells:
        shell.run(make)
    shells["producer"].run("q.put('one', 'two', 'three'); len(q)", wait=SECONDS)
    assert "Out[2]: 3" in shells["producer"].text
    shells["consumer"].run("for item in q.consume(): print(item)")
    shells["consumer"].wait_for("one\ntwo\nthree\n", SECONDS)
    assert shells["consumer"].state == "busy"
    shells["producer"].run("q.put('four')")
    shells["consumer"].wait_for("four", SECONDS)
    shells["consumer"].interrupt()
    shells["consumer"].run("print('after the', 'loop')", wait=SECONDS)
    assert printed(shells["consumer"]).endswith("three\nfour\n\nafter the loop\n")
    assert len(HotQueue("some_queue", serializer=json, **address)) == 0


def test_shells_know_the_environment_and_the_folder_they_were_opened_in(redis_url, tmp_path):
    with_folder = open_shells("elsewhere", folder=tmp_path)
    with_folder["elsewhere"].run("import os; print(os.environ['REDIS_URL'], os.getcwd())")
    with_folder["elsewhere"].wait_for(f"{redis_url} {tmp_path}", SECONDS)
    with_folder.close()


def test_a_transcript_looks_like_ipythons(shell):
    shell.run("for n in range(2):\n    print(n)")
    shell.run("6 * 7")
    shell.run("1 / 0", wait=SECONDS)
    inputs = "In [1]: for n in range(2):\n   ...:     print(n)\n0\n1\n\nIn [2]: 6 * 7\nOut[2]: 42\n"
    assert shell.text.startswith(inputs)
    assert shell.text.endswith("ZeroDivisionError: division by zero\n")
    assert "\x1b" not in shell.text


def test_typed_lines_do_not_count_as_printed(shell):
    shell.run("x = 'never'", wait=SECONDS)
    with pytest.raises(TimeoutError, match="did not print 'never'"):
        shell.wait_for("never", 1)


def test_input_is_refused_with_a_message_and_does_not_hang(shell):
    shell.run("input('name? ')", wait=SECONDS)
    assert "write the answer into the code" in printed(shell)


def test_an_interrupt_is_a_ctrl_c_and_drops_waiting_inputs(shell, until):
    shell.run("import time; print('be', 'gan')\nwhile True: time.sleep(60)")
    shell.wait_for("be gan", SECONDS)
    waiting = ThreadPoolExecutor().submit(shell.run, "print('dropped')", wait=SECONDS)
    until(lambda: shell._waiting)
    shell.interrupt()
    with pytest.raises(RuntimeError, match="dropped by an interrupt"):
        waiting.result(SECONDS)
    shell.run("print('still', 'here')", wait=SECONDS)
    assert "KeyboardInterrupt" in printed(shell)
    assert "still here" in printed(shell) and "\ndropped" not in printed(shell)


def test_waiting_ends_with_a_clear_message(shell):
    shell.run("1", wait=SECONDS)  # it has started
    with pytest.raises(TimeoutError, match=r"the shell 'only' \(busy\) is not done after 1 s"):
        shell.run("import time; print('began'); time.sleep(60)", wait=1)


def test_code_that_a_busy_shell_did_not_begin_in_time_is_never_run(shell, until):
    """This happens when a cell is run again while its consumer waits."""
    shell.run("import time; time.sleep(2)")
    until(lambda: shell.state == "busy")
    with pytest.raises(TimeoutError, match="press its Interrupt, then run this again"):
        shell.run("print('too', 'late')", wait=0.1)
    shell.run("print('in', 'time')", wait=SECONDS)
    assert "in time" in printed(shell) and "too late" not in printed(shell)


def test_a_restart_forgets_names_and_says_so(shell):
    before = process_of(shell)
    shell.run("kept = 1", wait=SECONDS)
    shell.restart()
    shell.run("kept", wait=SECONDS)
    assert "[restarted: a fresh Python, all names are gone]\nIn [1]: kept" in shell.text
    assert "NameError" in shell.text
    assert gone(before)


def test_a_closed_shell_has_no_process_and_opens_again(shell):
    process = process_of(shell)
    shell.close()
    assert shell.state == "closed" and gone(process)
    with pytest.raises(RuntimeError, match=r"'only' is closed; .restart\(\) opens it"):
        shell.run("1")
    shell.restart()
    shell.run("print('open', 'again')", wait=SECONDS)
    assert "open again" in shell.text


@pytest.mark.parametrize(
    ("end", "how"),
    [("os._exit(3)", "exit code 3"), ("os.kill(os.getpid(), 9)", "killed by signal 9")],
)
def test_a_shell_that_dies_by_itself_says_how_and_what_to_do(shell, until, end, how):
    with pytest.raises(RuntimeError, match="ended before it had run this"):
        shell.run(f"import os; {end}", wait=SECONDS)
    until(lambda: shell.state == "dead")
    assert how in shell.text and "Press Restart" in shell.text
    shell.restart()
    shell.run("print('new', 'life')", wait=SECONDS)
    assert "new life" in shell.text


def test_a_runaway_print_stays_bounded_and_can_be_interrupted(shell):
    shell.run("while True: print(1)")
    shell.wait_for("earlier lines were cut", SECONDS)
    assert len(shell.text.splitlines()) <= transcript.MAX_LINES + 2
    shell.interrupt()
    shell.run("print('calm', 'again')", wait=SECONDS)
    assert "calm again" in shell.text


def test_a_traceback_shows_no_frames_of_the_kernel_itself():
    frames = ["\x1b[31mKeyboardInterrupt\x1b[39m", "File /a/ipykernel/iostream.py:1", "Cell In[1]"]
    content = {"ename": "KeyboardInterrupt", "evalue": "", "traceback": frames}
    text, _ = kernel_output.format_message({"msg_type": "error", "content": content})
    assert text == "\x1b[31mKeyboardInterrupt\x1b[39m\nCell In[1]"


def test_opening_the_same_names_again_closes_the_earlier_shells(shell):
    process = process_of(shell)
    again = open_shells("only")
    assert shell.state == "closed" and gone(process)
    again["only"].run("print('fresh', 'one')", wait=SECONDS)
    again.close()


@pytest.mark.parametrize("names", [(), ("",), (" ",), ("a", "a"), (1,)])
def test_bad_names_are_refused(names):
    with pytest.raises(ValueError, match="name"):
        open_shells(*names)


def test_a_folder_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no folder"):
        open_shells("a", folder="/no/such/folder")


def test_an_unknown_name_is_answered_with_the_known_ones(shells):
    with pytest.raises(KeyError, match="producer, consumer"):
        shells["worker"]


def test_the_text_form_is_the_same_every_time(shells):
    lines = [
        f"Shell '{name}', a live IPython beside this page" for name in ("producer", "consumer")
    ]
    data, _ = shells._repr_mimebundle_()
    assert repr(shells) == data["text/plain"] == "\n".join(lines)
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_shells_end_with_the_program_that_opened_them(until, end):
    code = "from jobs_kit.lab.shells import open_shells; s = open_shells('a')['a']\n"
    code += "s.run('import os, subprocess, time')\n"
    code += "s.run('''child = subprocess.Popen([\"sleep\", \"600\"])''')\n"
    code += "s.run('print(os.getpid(), child.pid, flush=True); time.sleep(600)')\n"
    code += (
        "s.wait_for(' '); import sys, time; print(s.text.split()[-2:], flush=True); time.sleep(600)"
    )
    opener = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    numbers = re.findall(r"\d+", opener.stdout.readline())
    processes = [psutil.Process(int(number)) for number in numbers]
    assert len(processes) == 2
    opener.send_signal(end)
    opener.communicate()
    until(lambda: all(map(gone, processes)))


def test_idle_shells_use_almost_no_processor_time(shells):
    for shell in shells:
        shell.run("1", wait=SECONDS)
    before = time.process_time()
    time.sleep(2)
    assert time.process_time() - before < 0.1


def test_enter_runs_finished_code_and_continues_unfinished_code(page, shell, until):
    page.sends({"do": "enter", "code": "for n in [1, 2]:"})
    assert page.received == [{"do": "more", "code": "for n in [1, 2]:", "indent": "    "}]
    page.sends({"do": "enter", "code": "for n in [1, 2]:\n    print(n * 11)\n"})
    shell.wait_for("11\n22\n", SECONDS)
    assert page.received[-1]["do"] == "accepted"
    until(lambda: page.pane.history[-1:] == ["for n in [1, 2]:\n    print(n * 11)"])


def test_shift_enter_runs_unfinished_code_too(page, shell):
    page.sends({"do": "run", "code": "for n in [1, 2]:"})
    shell.wait_for("SyntaxError", SECONDS)


def test_a_busy_shell_refuses_typed_input_and_says_so(page, shell):
    shell.run("import time; time.sleep(600)")
    page.sends({"do": "enter", "code": "1 + 1"})
    assert "this shell is busy. Press Interrupt" in page.pane.notice
    assert page.received == []


def test_the_buttons_of_the_page_act(page, shell, until):
    shell.run("import time; print('be', 'gan'); time.sleep(600)")
    shell.wait_for("be gan", SECONDS)
    until(lambda: page.pane.buttons["Interrupt"])
    page.sends({"do": "Interrupt"})
    shell.wait_for("KeyboardInterrupt", SECONDS)
    page.sends({"do": "Restart"})
    shell.wait_for("restarted", SECONDS)
    until(lambda: page.pane.state == "idle")
    page.sends({"do": "Close"})
    until(lambda: page.pane.state == "closed" and not page.pane.buttons["Close"])


def test_messages_that_no_page_sends_are_ignored(page, shell):
    page.sends({"do": "_end", "code": "x"})
    page.sends({})
    shell.run("print('un', 'harmed')", wait=SECONDS)
    assert "un harmed" in shell.text
