"""The repository's address, and links into it and to Binder."""

import re
import subprocess
from urllib.parse import quote, urlsplit

SCP = re.compile(
    r"(?:[\w.-]+@)?(?P<host>[\w.-]+\.[\w-]+):(?P<path>[^/].*)"
)  # git@host.org:owner/name
GITHUB = "https://github.com/"


def origin_address(folder):
    """Return the web address of a clone's remote "origin", or "" if it has none on the web."""
    command = ["git", "-C", str(folder), "remote", "get-url", "origin"]
    done = subprocess.run(command, capture_output=True, text=True)
    return web_address(done.stdout.strip())


def web_address(remote):
    """Return the web address of a git remote, without user, password and ".git"; "" if it has none."""
    if match := SCP.fullmatch(remote):
        remote = f"ssh://{match['host']}/{match['path']}"
    parts = urlsplit(remote)
    path = parts.path.strip("/").removesuffix(".git")
    if parts.scheme not in ("https", "http", "ssh", "git") or not parts.hostname or not path:
        return ""
    if parts.scheme not in ("https", "http"):
        return f"https://{parts.hostname}/{path}"  # its port is not that of the web pages
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{path}"


def binder_link(address, name):
    """Return the link that opens a file of a repository on Binder, "" without an address."""
    if not address:
        return ""
    if address.startswith(GITHUB):
        place = f"gh/{address.removeprefix(GITHUB)}"
    else:
        place = f"git/{quote(address, safe='')}"
    return f"https://mybinder.org/v2/{place}/HEAD?urlpath=lab/tree/{quote(name)}"


def file_link(address, name, is_folder=False):
    """Return the link to a file or folder on GitHub, "" for hosts whose links look different."""
    if not address.startswith(GITHUB):
        return ""
    return f"{address}/{'tree' if is_folder else 'blob'}/HEAD/{quote(name)}"
