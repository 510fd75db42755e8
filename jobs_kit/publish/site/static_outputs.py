"""Turn the outputs of a page's run into what a page shows without a kernel.

A board plays its recording. A live shell becomes a transcript: all that it has shown so far, and below
a cell that typed into it, what came since. A prediction can be made: it knows the verdict on each guess,
and the outputs of the cell that settles it stay folded until then.
"""

import copy
import html
import json

from jobs_kit.queue_watch.player.page import players_of

VIEW = "application/vnd.jupyter.widget-view+json"
DIAGRAM = "text/vnd.mermaid"  # needs a large program; the text beside it has the same words
PLACE = (
    '<div class="site-widget" data-kind="{kind}"><noscript><pre>{text}</pre></noscript>'
    '<script type="application/json">{traits}</script></div>'
)
ROW = '<div class="site-row">{}</div>'
SHOW, HIDE = "Show the result (predict first)", "Hide the result"
TYPE_HERE = "In JupyterLab this is a live shell: you type here."


def static_notebook(run):
    """Return the notebook (dict) of a PageRun, with outputs that need no kernel."""
    return _Page(run).notebook


class _Page:
    def __init__(self, run):
        self.notebook = copy.deepcopy(run.notebook)
        self._states = run.states
        self._verdicts = {}  # {model id of a question: the record that settle() left}
        self._settling = {}  # {model id of a question: the tag of the cell that settles it}
        before = {}
        code = [(n, cell) for n, cell in enumerate(self.notebook["cells"]) if "outputs" in cell]
        for number, cell in code:
            self._take_verdicts(number, cell)
        for number, cell in code:
            after = {**before, **run.transcripts.get(number, {})}
            cell["outputs"] = self._static(cell["outputs"], before, after)
            before = after
        self.notebook["metadata"].pop("widgets", None)

    def _take_verdicts(self, number, cell):
        """Remove the verdicts of a cell, which belong below their questions, and fold its outputs."""
        verdicts = [output for output in cell["outputs"] if _record_of(output)]
        for record in map(_record_of, verdicts):
            self._verdicts.setdefault(record["question"], record)
            self._settling.setdefault(record["question"], f"settles-{number}")
        cell["outputs"] = [output for output in cell["outputs"] if output not in verdicts]
        if verdicts and not any(_model_of(output) for output in cell["outputs"]):
            tags = cell["metadata"].setdefault("tags", [])
            tags += [f"settles-{number}", "hide-output"]
            cell["metadata"]["mystnb"] = {"code_prompt_show": SHOW, "code_prompt_hide": HIDE}

    def _static(self, outputs, before, after):
        """Return the outputs of one cell. before, after: {model id: transcript} around it."""
        shown, models = [], set()
        for output in outputs:
            output.get("data", {}).pop(DIAGRAM, None)
            model = _model_of(output)
            text = output.get("data", {}).get("text/plain", "")
            widget = model and self._place(model, "".join(text), after, models)
            shown.append(_html_output(widget) if widget else output)
        news = {
            model: text.removeprefix(before.get(model, ""))
            for model, text in after.items()
            if model not in models and text != before.get(model, "")
        }
        panes = [self._transcript(model, text) for model, text in news.items()]
        return [*shown, _html_output(ROW.format("".join(panes)))] if panes else shown

    def _place(self, model, text, after, models):
        """Return a widget as HTML, "" if it is none of the kit's. models: gets the shown ones' ids."""
        kind, traits = (self._states.get(model, {}).get(key) for key in ("kind", "traits"))
        models.add(model)
        if kind == "BoardPage":
            return players_of([(traits["title"], traits["recording"])])
        if kind == "Question":
            return self._question(model, traits, text)
        if kind == "Pane" and model in after:
            return self._transcript(model, after[model], TYPE_HERE)
        if kind == "Pane":
            return self._transcript(model, traits["transcript"])
        children = [
            child.removeprefix("IPY_MODEL_") for child in (traits or {}).get("children", [])
        ]
        places = [self._place(child, "", after, models) for child in children]
        return ROW.format("".join(places)) if any(places) else ""

    def _question(self, model, traits, text):
        record = self._verdicts.get(model, {"answer": "", "verdicts": {}})
        parts = {key: record[key] for key in ("answer", "verdicts")}
        return place(
            "prediction",
            {"question": traits["question"], "options": traits["options"], **parts}
            | {"settled_by": self._settling.get(model, "")},
            text,
        )

    def _transcript(self, model, text, notice=""):
        traits = self._states[model]["traits"]
        kept = {key: traits[key] for key in ("title", "kind")}
        return place("pane", kept | {"transcript": text.strip("\n"), "notice": notice}, text)


def place(kind, traits, text):
    """Return the place of a widget as HTML. text: what a reader without scripts sees."""
    data = json.dumps(traits, ensure_ascii=False).replace("<", "\\u003c")
    return PLACE.format(kind=kind, traits=data, text=html.escape(text))


def _html_output(text):
    return {"output_type": "display_data", "data": {"text/html": text}, "metadata": {}}


def _model_of(output):
    """Return the model id of the widget that an output shows, or None."""
    return output.get("data", {}).get(VIEW, {}).get("model_id")


def _record_of(output):
    """Return what Prediction.settle() recorded for pages without a kernel, or None."""
    return output.get("metadata", {}).get("prediction")
