"""Why is a click on the page answered while a cell blocks?

JupyterLab sends what happens to a widget to a thread of its own in the kernel, a subshell. From
ipykernel 7.4 on the kernel hands it to the thread that last wrote to the widget instead: mostly
the one where cells run, and there it waits until the running cell ends. Here a kernel is told to
leave a message where JupyterLab sent it; only an answer still goes to the thread that asked.
"""

import sys


def answer_at_once():
    """Mend the kernel that this code runs in; do nothing in another program or version."""
    if "ipykernel.comm.comm" not in sys.modules:
        return  # every kernel has loaded it
    from ipykernel.comm.comm import BaseComm

    if not hasattr(BaseComm, "_reply_subshell_for"):
        return
    find_asker = BaseComm._reply_subshell_for

    def find_thread(self, data, sent_to):
        self._reply_subshell_id = sent_to  # for messages that are no answer
        return find_asker(self, data, sent_to)

    BaseComm._reply_subshell_for = find_thread
