// Gives each widget of a page its traits, and follows the site's theme. board, pane and prediction are
// the scripts that the same widgets have in JupyterLab.

const root = document.documentElement;
const followTheme = () => root.setAttribute("data-jp-theme-light", String(root.dataset.theme !== "dark"));
new MutationObserver(followTheme).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
followTheme();

function makeModel(traits, onSave = () => {}) {
  const watchers = {};
  return {
    get: (name) => traits[name],
    set(name, value) { traits[name] = value; },
    announce: (event) => { for (const act of watchers[event] || []) act(); },
    on: (event, act) => (watchers[event] ||= []).push(act),
    off() {},
    send() {},
    save_changes: () => onSave(),
  };
}

// The same comparison as Prediction.settle() makes.
function isSame(guess, answer) {
  const plain = (text) => text.trim().split(/\s+/).join(" ").toLowerCase();
  return plain(guess) === plain(answer) || (guess.trim() !== "" && Number(guess) === Number(answer));
}

function verdictOn(guess, { answer, verdicts }) {
  if (guess in verdicts) return verdicts[guess];
  return isSame(guess, answer) ? `You predicted ${guess}, and that is right.` : `You predicted ${guess}. The answer is: ${answer}.`;
}

function showPrediction(traits, el) {
  const settle = () => {
    const guess = model.get("guess");
    if (!guess.trim() || !traits.answer) return;
    model.set("verdict", verdictOn(guess, traits));
    model.set("settled", true);
    model.announce("change:settled");
    for (const fold of document.querySelectorAll(`.tag_${traits.settled_by} details`)) fold.open = true;
  };
  const isChosen = traits.options.length > 0; // a text is complete when the reader leaves its box
  const model = makeModel({ guess: "", settled: false, verdict: "", ...traits }, isChosen ? settle : undefined);
  if (!isChosen) el.addEventListener("change", settle);
  prediction.render({ model, el });
}

const SHOW = {
  prediction: showPrediction,
  pane: (traits, el) => pane.render({ model: makeModel({ state: "", state_text: "", buttons: {}, takes_input: false, history: [], ...traits }), el }),
  board: (traits, el) => board.render({ model: makeModel(traits), el }),
};

for (const place of document.querySelectorAll(".site-widget, .jk-player")) {
  const traits = JSON.parse(place.querySelector("script").textContent);
  const start = () => SHOW[place.dataset.kind || "board"](traits, place);
  const fold = place.closest("details");
  if (fold && !fold.open) fold.addEventListener("toggle", start, { once: true });
  else start();
}
