"""The widgets ask of a page what anywidget promises, no more: VS Code and Colab show them, too.

A bare page plays the front end: it has what the kernel would send, hands each script a model and an
element, and cleans up. Nothing of JupyterLab is there, neither its elements nor its colours.
"""

import re

import pytest
from playwright.sync_api import expect

from jobs_kit.lab.board.page import BoardPage
from jobs_kit.lab.pane import Pane
from jobs_kit.lab.prediction import Question
from jobs_kit.queue_watch.picture import apply, empty_picture

NOTEBOOK_PAGE = r"\.jp-|\.lm-|#jp-|window\.(jupyter|_JUPYTER|google|acquire)|\brequire\(|^import "
ELSEWHERE = r"https?:(?!//www\.w3\.org/2000/svg\b)|url\(|@import"


def board():
    """One message is held, one waits."""
    picture, at = empty_picture("q"), 1_700_000_000.0
    for message in ("one", "two"):
        put = {"did": "put", "who": "ana", "message": message, "text": message}
        apply(picture, {"at": at, "first": False, **put})
    apply(picture, {"at": at + 1, "did": "take", "who": "eva", "message": "one", "text": "one"})
    news = {"first": 0, "events": [], "last": 3}
    return BoardPage(
        title="Queue q", state="live", picture=picture, news=news, controls={"workers": ["eva"]}
    )


def shell():
    traits = {"title": "producer", "kind": "shell", "takes_input": True, "state": "idle"}
    return Pane(lambda message: None, transcript="In [1]: ", buttons={"Close": True}, **traits)


def question():
    return Question(question="How many?", options=["1", "2"])


# what is shown; what then changes and is shown; what is clicked, and what the kernel is told
LIVES = {
    board: ("eva", {"notice": "so it is"}, "button:text-is('Put')", "put"),
    shell: ("In [1]:", {"transcript": "In [1]: so it is"}, "button:text-is('Close')", "Close"),
    question: ("How many?", {"settled": True, "verdict": "so it is"}, "input >> nth=1", "2"),
}


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 480, "height": 900})
    page.errors, page.asked = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    page.close()


@pytest.mark.parametrize("make", LIVES, ids=lambda make: make.__name__)
def test_a_bare_page_shows_a_widget_twice_and_is_rid_of_it(page, make):
    shown, change, target, told = LIVES[make]
    page.evaluate(PLAY_FRONT_END, make().get_state())
    views = [page.locator(".view").nth(0), page.locator(".view").nth(1)]
    for view in views:
        expect(view).to_contain_text(shown)
        assert view.evaluate("view => view.scrollWidth <= view.clientWidth"), "it is too wide"
    views[1].locator(target).click()
    assert told in str(page.evaluate("told"))
    page.evaluate("change => model.change(change)", change)
    for view in views:
        expect(view).to_contain_text("so it is")
    page.evaluate("cleanUp(1)")
    page.evaluate("change => model.change(change)", {name: "" for name in change})
    expect(views[0]).not_to_contain_text("so it is")
    page.evaluate("cleanUp(0)")
    assert page.evaluate("model.heard()") == 0, "it still listens"
    assert page.errors == []
    assert [url for url in page.asked if not url.startswith(("blob:", "about:"))] == []


def test_a_board_that_is_left_says_so_and_another_view_answers(page):
    page.evaluate(PLAY_FRONT_END, board().get_state())
    assert page.evaluate("told") == ["here", "here"]
    page.evaluate("cleanUp(1); model.tell({do: 'who shows it'})")
    assert page.evaluate("told.slice(2)") == ["left", "here"]
    page.evaluate("model.change({state: 'closed'}); cleanUp(0)")
    assert page.evaluate("told.slice(4)") == []  # there is nothing left to end


PLAY_FRONT_END = """async (state) => {
    const handlers = [];
    window.told = [];
    window.model = {
        get: (name) => state[name],
        set: (name, value) => { told.push(value); model.change({[name]: value}); },
        save_changes() {},
        send: (message) => told.push(message.do),
        tell: (message) => handlers.filter(([event]) => event === 'msg:custom')
            .forEach(([, act]) => act(message)),
        on: (event, act) => handlers.push([event, act]),
        off: (event, act) => {
            const index = handlers.findIndex(([e, a]) => e === event && a === act);
            if (index >= 0) handlers.splice(index, 1);
        },
        change(values) {
            Object.assign(state, values);
            for (const name of Object.keys(values))
                for (const [event, act] of [...handlers]) if (event === `change:${name}`) act();
        },
        heard: () => handlers.length,
    };
    document.head.append(Object.assign(document.createElement('style'), {textContent: state._css}));
    const script = new Blob([state._esm], {type: 'text/javascript'});
    const widget = (await import(URL.createObjectURL(script))).default;
    const views = [0, 1].map(() => {
        const el = Object.assign(document.createElement('div'), {className: 'view'});
        document.body.append(el);
        return {el, end: widget.render({model, el})};
    });
    window.cleanUp = (number) => { views[number].end(); views[number].el.remove(); };
}"""


@pytest.mark.parametrize("make", LIVES, ids=lambda make: make.__name__)
def test_a_widget_leans_on_no_front_end(make):
    sent = make().get_state()
    script, style = sent["_esm"], sent["_css"]
    assert re.findall(NOTEBOOK_PAGE, script + style, re.MULTILINE) == []
    assert re.findall(ELSEWHERE, script + style) == []
    bare = re.findall(r"var\(--(?!jk-)[\w-]+\)", style + script)
    assert bare == [], "a colour of JupyterLab's without one in its place"
