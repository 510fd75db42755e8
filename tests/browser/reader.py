"""Use a page as a reader does: predictions, the board, the two shells."""

import re

from playwright.sync_api import expect


class PredictionOnPage:
    """A prediction in a cell. verdict: the line below it. options: what there is to choose."""

    def __init__(self, cell):
        self.root, self.verdict = cell.locator(".jk-predict"), cell.locator(".jk-verdict")
        expect(self.root).to_be_visible()
        self.options = self.root.locator("label").all_inner_texts()

    def guess(self, option):
        """Click an option, and see that the page has noted it."""
        self.root.get_by_label(option, exact=True).click()
        expect(self.verdict).to_have_text(f"Your prediction: {option}. Run the next cell.")


class BoardOnPage:
    """A board, the tokens on it and its controls."""

    def __init__(self, root):
        self.root, self.page = root, root.page
        self.state, self.notice = root.locator(".jk-state"), root.locator(".jk-notice")
        self.summary = root.locator(".jk-summary")
        self.lanes, self.timeline = root.locator(".jk-lane"), root.locator(".jk-detail")

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def put(self, text, times=1):
        self.root.get_by_role("textbox", name="Message").fill(text)
        self.root.get_by_label("How many").fill(str(times))
        self.press("Put")

    def tokens(self, place):
        """Return the locator of the tokens in a place: waiting, held, done, failed."""
        return self.root.locator(f'.jk-token[data-place="{place}"]')

    def lane(self, who):
        return self.lanes.filter(has=self.page.locator(f'.jk-who:text-is("{who}")'))


class ShellOnPage:
    """A shell's pane and the keyboard."""

    def __init__(self, notebook, pane):
        self.pane, self.keyboard = pane, notebook.page.keyboard
        self.log, self.input = self.pane.get_by_role("log"), self.pane.get_by_role("textbox")
        self.state = self.pane.locator(".jk-state")

    def type(self, *lines):
        """Type each line and Enter, each once the shell is idle, and see it taken."""
        for line in lines:
            expect(self.state).to_have_text(re.compile("^idle"))
            self.enter(line)
            expect(self.input).to_have_value("")

    def enter(self, line):
        """Type a line and Enter."""
        self.input.click()
        self.keyboard.type(line)
        self.keyboard.press("Enter")

    def block(self, head, body):
        """Type two lines, the second one where the cursor is then; an empty line ends them."""
        self.enter(head)
        expect(self.input).to_have_value(f"{head}\n    ")
        self.keyboard.type(body)  # a click would move the cursor
        self.keyboard.press("Enter")
        expect(self.input).to_have_value(f"{head}\n    {body}\n    ")
        self.keyboard.press("Enter")

    def press(self, button):
        self.pane.get_by_role("button", name=button).click()
