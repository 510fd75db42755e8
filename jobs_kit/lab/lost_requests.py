"""Why can a cell stay at [*] for ever in ipykernel 7.1 to 7.3, and how is it kept from that?

Its shell socket is read through a stream, but replies are sent past the stream. A request that
comes in just as a reply goes out then stays unread until the next one (ipykernel's issue 1554).
Version 7.4 sends replies through the stream; here a running kernel is made to do the same.
"""

import sys


def keep_requests():
    """Mend the kernel that this code runs in; do nothing in another program or version."""
    if "ipykernel.kernelapp" not in sys.modules:
        return  # a kernel has loaded it
    from ipykernel.kernelapp import IPKernelApp

    if not IPKernelApp.initialized():
        return
    app = IPKernelApp.instance()
    manager = getattr(getattr(app, "shell_channel_thread", None), "manager", None)
    if hasattr(manager, "_shell_socket"):
        manager._shell_socket = app.kernel.shell_stream
