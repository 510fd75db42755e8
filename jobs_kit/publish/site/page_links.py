"""Rewrite the links of a page, so that each leads to a page of the site, a file beside it, or a host."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote

from jobs_kit.publish.site.repository import file_link

# code comes first: a link in it is no link
LINK = re.compile(
    r"(?P<code>```.*?```|`[^`\n]*`)|(?P<mark>!?)\[(?P<text>[^\]]*)\]\((?P<to>[^)\s]+)\)", re.S
)


class Links:
    """The links of a course. pages: the names of the site's pages. address: of the repository, or "".

    files: the names of the files that pages link to or show, which the site has to carry.
    """

    def __init__(self, course, pages, address=""):
        self._course, self._pages, self._address = course, set(pages), address
        self.files = set()

    def rewritten(self, text, name, moved_to=None):
        """Return the Markdown of a page with links that work on the site.

        name: the page's path in the course. moved_to: its path on the site, if that is another.
        """
        return LINK.sub(lambda match: self._rewrite(match, name, moved_to or name), text)

    def _rewrite(self, match, name, place):
        if match["code"] or not is_relative(match["to"]):
            return match[0]
        path, _, anchor = unquote(match["to"]).partition("#")
        target = _joined(PurePosixPath(name).parent, path) if path else name
        # JupyterLab's anchors keep their capitals
        anchor = anchor.lower() if target.endswith(".ipynb") else anchor
        if not path:
            return f"[{match['text']}](#{anchor})"
        link = self._link(target, _relative(target, place), bool(match["mark"]))
        if link is None:
            return match["text"]
        if anchor:
            link += f"#{anchor}"
        return f"{match['mark']}[{match['text']}]({link})"

    def _link(self, target, relative, is_picture):
        """Return where a link to a file of the course leads, None for nowhere."""
        file = self._course / target
        if target in self._pages:
            return relative
        if file.is_file() and (is_picture or not file_link(self._address, target)):
            self.files.add(target)
            return relative
        return file_link(self._address, target, is_folder=file.is_dir()) or None


def linked_pages(course, first):
    """Return the names of the Markdown pages that links lead to from the first one, itself included."""
    names, coming = [], [first]
    while coming:
        name = coming.pop(0)
        if name in names or not (course / name).is_file():
            continue
        names.append(name)
        for match in LINK.finditer((course / name).read_text(encoding="utf-8")):
            if match["to"] and is_relative(match["to"]):
                path = unquote(match["to"]).partition("#")[0]
                coming += (
                    [_joined(PurePosixPath(name).parent, path)] if path.endswith(".md") else []
                )
    return names


def is_relative(link):
    """Tell whether a link leads to a file of the course, and not to another host."""
    return not re.match(r"[a-z]+:|//", link)


def _joined(folder, path):
    """Return a path relative to a folder of the course, relative to the course."""
    parts = []
    for part in (folder / path).parts:
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return PurePosixPath(*parts).as_posix()


def _relative(target, place):
    """Return the link from one page to another file of the site."""
    depth = len(PurePosixPath(place).parts) - 1
    return "../" * depth + target
