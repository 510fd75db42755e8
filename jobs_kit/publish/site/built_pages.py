"""Check the built pages: each link leads somewhere, and nothing is loaded from elsewhere."""

import posixpath
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
IDLE_RELATIONS = {"canonical", "next", "prev", "search", "index", "author", "copyright"}


def faults_of(folder):
    """Return a sentence for each broken link and each outside resource of a site's pages, a list."""
    pages = {path.relative_to(folder).as_posix(): _read(path) for path in folder.rglob("*.html")}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    faults = []
    for name, page in sorted(pages.items()):
        faults += [
            f"{name}: loads {link} from elsewhere" for link in page.loads if not _is_near(link)
        ]
        near = [link for link in [*page.links, *page.loads] if _is_near(link)]
        faults += [
            f"{name}: {link} leads nowhere" for link in near if not _leads(name, link, pages, files)
        ]
    return faults


class _Page(HTMLParser):
    """The links of a page, what it loads by itself, and the ids in it."""

    def __init__(self):
        super().__init__()
        self.links, self.loads, self.ids = [], [], set()

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.ids |= {named[name] for name in ("id", "name") if named.get(name)}
        if tag == "a" and named.get("href"):
            self.links.append(named["href"])
        is_idle = tag == "link" and set(named.get("rel", "").split()) & IDLE_RELATIONS
        if tag in LOADS and named.get(LOADS[tag]) and not is_idle:
            self.loads.append(named[LOADS[tag]])


def _read(path):
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _is_near(link):
    parts = urlsplit(link)
    return not parts.netloc and parts.scheme in ("", "data")


def _leads(name, link, pages, files):
    """Tell whether a link of a page leads to a file of the site, and to an id in it if it names one."""
    parts = urlsplit(link)
    if parts.scheme:
        return True
    path = unquote(parts.path)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
    if target not in files:
        return False
    anchor = unquote(parts.fragment)
    return not anchor or target not in pages or anchor in pages[target].ids
