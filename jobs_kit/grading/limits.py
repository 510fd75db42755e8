"""Name every time-out and size limit of checks, submissions and student programs.

What runs inside a student's process, sandbox/child/, has its own: it imports nothing of the kit.
"""

MB = 1 << 20

# One check
CHECK_TIMEOUT_SECONDS = 10  # until a wait gives up; an idle machine needs far less
BUSY_MACHINE_FACTOR = 6  # so many times as long a wait takes at most on a busy machine
CHECK_TEXT_CHARACTERS = 5000  # of one text in a result: the call, the hint, a line of evidence
CHECKS_AT_ONCE = (
    4  # of an exercise whose checks mostly wait; each takes 10 MB for its Redis and pages
)
TIMEOUTS_PER_EXERCISE = 2  # after these its other checks don't run, because they would wait as long

# One submission
SUBMISSION_TIMEOUT_SECONDS = 300  # for all exercises; those not judged by then are "timeout"
SUBMISSION_FILES = 300
SUBMISSION_BYTES = 20 * MB
SUBMISSION_ENTRIES = 50_000  # files of a folder that are looked at
ZIP_INDEX_BYTES = 8 * MB  # of the list of files in a zip file, 100 bytes each
SUBMISSION_REMARKS = 20  # lines about files that were left out
REMARK_CHARACTERS = 200

# One judge, with the programs that it runs
JUDGE_MEMORY_BYTES = 125 * MB

# The files of one exercise
SOURCE_FILE_BYTES = MB
SOURCE_BYTES = 8 * MB
SOURCE_FOLDER_DEPTH = 3  # folders below the answer's own, from which files are still taken
PROGRESS_BYTES = 8 * MB  # of the file that keeps a student's progress
SYNTAX_TREE_DEPTH = 100  # steps from a file's tree down to its smallest part

# One process that runs student code
OUTPUT_BYTES = 200_000  # of its output are kept; at ten times as much it is ended
REPORT_BYTES = 8 * MB  # a plot needs 200,000
REPORT_LINES = 20_000
CALL_PROCESSOR_SECONDS = 2
PROCESS_LIMITS = {  # setrlimit: bytes, seconds, numbers
    "RLIMIT_AS": 3 << 30,
    "RLIMIT_CPU": 3,  # a right program needs half a second at most, to draw its plots
    "RLIMIT_FSIZE": 64 * MB,
    "RLIMIT_NOFILE": 256,
    "RLIMIT_CORE": 0,
}
CONTAINED_PROCESS_LIMITS = {  # in addition, where student code has its own user
    "RLIMIT_DATA": 768 * MB,
    "RLIMIT_NPROC": 64,  # processes and threads of one user
}
