"""Start JupyterLab on the first lesson, with the kit's commands in its terminals.

It runs in this process: so Redis, which ends with the process that started it, ends with JupyterLab.
"""

import json
import os
import secrets
import signal
import tempfile
from pathlib import Path

from jobs_kit.course.places import FIRST
from jobs_kit.lab.command import put_programs_first

# What its file browser hides: all that only instructors and maintainers need. Binder reads it, too.
FILE_BROWSER = Path(__file__).with_name("file_browser.json")

# JupyterLab would ask its makers for news and newer versions, which a course has no use for.
NO_NEWS = '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}'

# Where JupyterLab, IPython and matplotlib write; below HOME unless these variables say otherwise.
WRITTEN = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
    "MPLCONFIGDIR",
)

# A terminal's own start-up file may put other Pythons first on the PATH, conda's for example.
BASHRC = 'if [ -f ~/.bashrc ]; then . ~/.bashrc; fi\nPATH="{bin}:$PATH"\n'


def run_jupyterlab(redis, course, port=0, browser=True):
    """Run JupyterLab until Ctrl-C or SIGTERM.

    redis: the Server that find_redis() returned. course: the course folder (Path). port: 0 takes a
    free one. browser: open one. Raises SystemExit(1) if the port is taken.
    """
    # in the directory of our Redis: that goes even when we are killed
    place = getattr(redis, "directory", None)
    with tempfile.TemporaryDirectory(prefix="jobs-kit-lab-", dir=place) as folder:
        if not _can_be_written(Path.home()):
            for name in WRITTEN:
                os.environ.setdefault(name, str(Path(folder) / name.lower()))
        os.chdir(course)  # terminals open there
        lab = _make(Path(folder), course, port, browser)
        url = f"http://127.0.0.1:{lab.port}/lab/tree/{FIRST}?token={lab.identity_provider.token}"
        text = f"{redis}\nJupyterLab: {url}\nCtrl-C ends it."
        lab.io_loop.add_callback(print, text, flush=True)  # not before it listens
        _stop_at_signals(lab)
        lab.start()


def _can_be_written(folder):
    """Tell whether a file can be made in a folder: root's permissions do not show that."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _make(folder, course, port, browser):
    """Return JupyterLab's server, which has its port and listens when it is started."""
    from jupyterlab.handlers.announcements import NeverCheckForUpdate
    from jupyterlab.labapp import LabApp
    from traitlets.config import Config

    programs = put_programs_first()
    (folder / "overrides.json").write_text(NO_NEWS)
    config = Config(json.loads(FILE_BROWSER.read_text()))
    config.Application.log_level = "WARN"
    config.LabApp.app_settings_dir = str(folder)
    config.LabApp.news_url = None
    config.LabApp.check_for_updates_class = NeverCheckForUpdate
    config.LabApp.default_url = f"/lab/tree/{FIRST}"
    config.IdentityProvider.token = secrets.token_hex(16)  # ours, so that the URL is said once
    config.ServerApp.root_dir = str(course)
    config.ServerApp.ip = "127.0.0.1"
    config.ServerApp.port = port or 8888
    config.ServerApp.port_retries = 0 if port else 50
    config.ServerApp.open_browser = browser
    config.ServerApp.allow_root = _is_root()
    config.ServerApp.terminado_settings = {"shell_command": _shell(folder, programs)}
    return LabApp.initialize_server(argv=[], config=config)


def _stop_at_signals(lab):
    # JupyterLab's own handlers ask for confirmation at a terminal, and exist only there
    def stop(number, frame):
        signal.signal(number, signal.default_int_handler)  # the second one ends us at once
        lab.stop(from_signal=True)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _shell(folder, programs):
    shell = os.environ.get("SHELL") or "sh"
    if Path(shell).name != "bash":
        return [shell]
    (folder / "bashrc").write_text(BASHRC.format(bin=programs))
    return [shell, "--rcfile", str(folder / "bashrc")]


def _is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0
