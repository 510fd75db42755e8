"""A patch for ipykernel: a click on a widget is answered while a cell runs.

JupyterLab sends a widget's messages to a subshell, a separate thread in the kernel. ipykernel 7.4
passes them on to the thread that last wrote to the widget instead. That is usually the thread that
runs the cells, where a click waits until the running cell ends. With this patch a message stays in
the thread that JupyterLab sent it to; only a reply still goes to the thread that asked.
"""

import sys


def answer_clicks_at_once():
    """Patch the kernel that runs this code; do nothing outside a kernel or in another version."""
    if "ipykernel.comm.comm" not in sys.modules:
        return  # not a kernel: every kernel has loaded this module
    from ipykernel.comm.comm import BaseComm

    if not hasattr(BaseComm, "_reply_subshell_for"):
        return
    find_asking_thread = BaseComm._reply_subshell_for

    def find_thread(self, data, sent_to):
        self._reply_subshell_id = sent_to  # for messages that are not a reply
        return find_asking_thread(self, data, sent_to)

    BaseComm._reply_subshell_for = find_thread
