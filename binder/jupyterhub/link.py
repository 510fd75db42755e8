#!/usr/bin/env python3
"""Print a link that copies the course into a user's home on a hub and opens the first lesson.

python3 link.py https://hub.example.org/school https://github.com/OWNER/REPOSITORY main
"""

import sys
from urllib.parse import urlencode

FOLDER = "jobs-kit"  # in the user's home
FIRST = "notebooks/00_start_here.ipynb"


def link(hub, repository, branch, page=FIRST):
    """Return the link for nbgitpuller; hub: the hub's address, with its base URL if it has one."""
    page = f"lab/tree/{FOLDER}/{page}"
    query = {"repo": repository, "branch": branch, "targetpath": FOLDER, "urlpath": page}
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(query)}"


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"name the hub, the repository and its branch, as in\n{__doc__.splitlines()[2]}")
    print(link(*sys.argv[1:]))
