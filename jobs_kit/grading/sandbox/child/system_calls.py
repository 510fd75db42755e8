"""Refuse system calls that no answer needs, with a seccomp filter of Linux.

Most of them open parts of the kernel in which faults are found again and again (io_uring, bpf, user
namespaces); others reach into processes beside the program, or take memory that none of its limits
counts. The filter is a program for the kernel's
packet filter, see seccomp(2). It stays for the process and for all that it starts.
"""

import ctypes
import errno
import os
import struct
import sys

PR_GET_SECCOMP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER_MODE = 21, 22, 38, 2
LOAD, IS, IS_AT_LEAST, HAS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # the instructions used
STEP = struct.Struct("HBBI")  # instruction, how many steps to skip if so and if not, value
ALLOW, ERROR = 0x7FFF0000, 0x00050000
NUMBER, MACHINE, ARGUMENTS = 0, 4, 16  # where they are in what the kernel shows the filter
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
OTHER_NUMBERS = 0x40000000  # x86_64 knows each call under a second number, from here on
NEW_USER, ANY = 0x10000000, 0xFFFFFFFF
PRIO_USER, IOPRIO_USER = 2, 3

# the numbers on x86_64 and aarch64
REFUSED = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "userfaultfd": (323, 282),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "setns": (308, 268),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
}
# a filter cannot read the flags of clone3; where it is missing, libraries call clone
MISSING = {"clone3": (435, 435)}
# refused if one of these arguments, (its number, a test, a value), is so
REFUSED_WITH = {
    "clone": (56, 220, [(0, HAS, NEW_USER)]),
    "unshare": (272, 97, [(0, HAS, NEW_USER)]),
    # of another process, such as the fork server, whose children would have it, too
    "prlimit64": (302, 261, [(0, HAS, ANY)]),
    "sched_setparam": (142, 118, [(0, HAS, ANY)]),
    "sched_setscheduler": (144, 119, [(0, HAS, ANY)]),
    "sched_setaffinity": (203, 122, [(0, HAS, ANY)]),
    "sched_setattr": (314, 274, [(0, HAS, ANY)]),
    "setpriority": (141, 140, [(0, IS, PRIO_USER), (1, HAS, ANY)]),
    "ioprio_set": (251, 30, [(0, IS, IOPRIO_USER), (1, HAS, ANY)]),
}


def can_be_refused():
    """Tell whether this system has such filters, and a machine whose numbers are known."""
    if sys.platform != "linux" or os.uname().machine not in MACHINES:
        return False
    return ctypes.CDLL(None).prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0


def refuse():
    """Refuse them to this process, where that is possible."""
    if not can_be_refused():
        return
    program = filter_program(os.uname().machine)
    code = ctypes.create_string_buffer(program)
    description = struct.pack("@HP", len(program) // STEP.size, ctypes.addressof(code))
    control = ctypes.CDLL(None).prctl
    control(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    control(PR_SET_SECCOMP, FILTER_MODE, description, 0, 0)


def filter_program(machine):
    """Return the filter for a machine, as bytes."""
    column = list(MACHINES).index(machine)
    steps = [(LOAD, 0, 0, MACHINE), (IS, 1, 0, MACHINES[machine]), _error(errno.ENOSYS)]
    steps += [(LOAD, 0, 0, NUMBER), (IS_AT_LEAST, 0, 1, OTHER_NUMBERS), _error(errno.ENOSYS)]
    for calls, number in ((REFUSED, errno.EPERM), (MISSING, errno.ENOSYS)):
        for numbers in calls.values():
            steps += [(IS, 0, 1, numbers[column]), _error(number)]
    for *numbers, tests in REFUSED_WITH.values():
        steps += _tested(numbers[column], tests)
    return b"".join(STEP.pack(*step) for step in [*steps, (RETURN, 0, 0, ALLOW)])


def _tested(number, tests):
    """Return the steps that refuse a call if one of its arguments passes its test."""
    steps = []
    for argument, test, value in tests:
        # the lower half is enough: the kernel takes these arguments for 32 bits
        steps += [(LOAD, 0, 0, ARGUMENTS + 8 * argument), (test, 0, 1, value), _error(errno.EPERM)]
    return [(IS, 0, len(steps) + 1, number), *steps, (RETURN, 0, 0, ALLOW)]


def _error(number):
    return RETURN, 0, 0, ERROR + number
