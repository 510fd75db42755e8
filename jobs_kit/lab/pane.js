// One live pane: a title, a state, a transcript and, for a shell, an input field.
// All that it shows is in the model; all that is pressed or typed goes to Python as a message.

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "grey"];

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// The name of the colour that the parameters of one terminal code ask for; "" for the plain one.
function colourOf(parameters) {
  let colour = "";
  for (let i = 0; i < parameters.length; i++) {
    const code = parameters[i];
    if (code === 38 || code === 48) {
      i += parameters[i + 1] === 5 ? 2 : 4; // one of 256 colours, or red, green, blue
      if (code === 38 && parameters[i - 1] === 5) colour = fromCube(parameters[i]);
    } else if (code >= 30 && code <= 37) colour = COLOURS[code - 30];
    else if (code >= 90 && code <= 97) colour = code === 90 ? "grey" : COLOURS[code - 90];
    else if (code === 0 || code === 39) colour = "";
  }
  return colour;
}

// The nearest of our few colours, which are legible on light and dark, to one of 256.
function fromCube(index) {
  if (index < 16) return COLOURS[index % 8];
  if (index > 231) return "grey";
  const [red, green, blue] = [36, 6, 1].map((size) => Math.floor((index - 16) / size) % 6);
  const most = Math.max(red, green, blue);
  const bits = (red === most ? 1 : 0) + (green === most ? 2 : 0) + (blue === most ? 4 : 0);
  return bits === 7 ? "grey" : COLOURS[bits];
}

function paint(text, into) {
  into.replaceChildren();
  let colour = "";
  for (const part of text.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith("\x1b[")) colour = colourOf(part.slice(2, -1).split(";").map(Number));
    else if (colour) into.append(make("span", { class: `jobs-kit-${colour}` }, part));
    else into.append(part);
  }
}

function render({ model, el }) {
  const title = model.get("title");
  const state = make("span", { class: "jobs-kit-state", role: "status" });
  const log = make("pre", {
    class: "jobs-kit-log", role: "log", tabindex: "0",
    "aria-label": `${title}: what it printed`, "aria-live": "polite",
  });
  const head = make("div", { class: "jobs-kit-head" },
    make("strong", { class: "jobs-kit-title" }, title), state);
  const bar = make("div", { class: "jobs-kit-bar" });
  const notice = make("div", { class: "jobs-kit-notice", role: "alert" });
  const pane = make("section", {
    class: "jobs-kit-pane", "aria-label": `${model.get("kind")} ${title}`,
    // without this JupyterLab takes Shift+Enter, arrows and letters for commands
    "data-lm-suppress-shortcuts": "true",
  }, head, log);
  const input = model.get("takes_input") ? makeInput(model, title, pane) : null;
  pane.append(notice, bar);
  pane.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(pane);

  function showButtons() {
    const buttons = Object.entries(model.get("buttons"));
    const names = [...(input ? ["Run"] : []), ...buttons.map(([name]) => name)];
    for (const name of names) {
      let button = bar.querySelector(`[data-name="${name}"]`);
      if (!button) {
        button = make("button", {
          type: "button", "data-name": name, "aria-label": `${name}: ${title}`,
        }, name);
        button.onclick = () => (name === "Run" ? input.run() : model.send({ do: name }));
        bar.append(button);
      }
      button.disabled = name === "Run" ? false : !model.get("buttons")[name];
    }
  }
  function showState() {
    pane.dataset.state = model.get("state");
    state.textContent = model.get("state_text");
    notice.textContent = model.get("notice");
    showButtons();
  }
  function showTranscript() {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
    paint(model.get("transcript"), log);
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
  const shown = { state: showState, state_text: showState, notice: showState,
    buttons: showState, transcript: showTranscript };
  for (const [name, show] of Object.entries(shown)) model.on(`change:${name}`, show);
  showState();
  showTranscript();
  requestAnimationFrame(() => { log.scrollTop = log.scrollHeight; });
  return () => {
    for (const [name, show] of Object.entries(shown)) model.off(`change:${name}`, show);
    input?.forget();
  };
}

// The input field: Enter runs a complete input, else starts a new line; Python decides which.
function makeInput(model, title, pane) {
  const field = make("textarea", {
    class: "jobs-kit-input", rows: "1", spellcheck: "false", autocomplete: "off",
    autocapitalize: "off", "aria-label": `${title}: type Python here, Enter runs it`,
    placeholder: "type Python here; Enter runs it",
  });
  let back = 0; // how many inputs back in the history: 0 is what is being typed
  let draft = "";

  function set(text) {
    field.value = text;
    field.rows = Math.min(12, text.split("\n").length);
    field.selectionStart = field.selectionEnd = text.length;
  }
  function recall(step) {
    const history = model.get("history");
    if (back === 0) draft = field.value;
    back = Math.max(0, Math.min(history.length, back + step));
    set(back ? history[history.length - back] : draft);
  }
  function run(what = "run") {
    model.send({ do: what, code: field.value });
  }
  function answer(message) {
    if (field.value !== message.code) return; // typed on meanwhile, or another view of this pane
    if (message.do === "more") set(`${message.code}\n${message.indent}`);
    if (message.do === "accepted") { back = 0; set(""); }
  }
  field.addEventListener("input", () => {
    back = 0;
    field.rows = Math.min(12, field.value.split("\n").length);
  });
  field.addEventListener("keydown", (event) => {
    const before = field.value.slice(0, field.selectionStart);
    const after = field.value.slice(field.selectionEnd);
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" && (event.shiftKey || !after.includes("\n"))) {
      run(event.shiftKey ? "run" : "enter");
    } else if (event.key === "ArrowUp" && !before.includes("\n")) recall(1);
    else if (event.key === "ArrowDown" && back && !after.includes("\n")) recall(-1);
    else if (event.key === "Tab" && !event.shiftKey && /(^|\n) *$/.test(before)) {
      field.setRangeText("    ", field.selectionStart, field.selectionEnd, "end");
    } else return;
    event.preventDefault();
  });
  model.on("msg:custom", answer);
  pane.append(make("label", { class: "jobs-kit-prompt" },
    make("span", { "aria-hidden": "true" }, "In:"), field));
  return { run: () => { run(); field.focus(); }, forget: () => model.off("msg:custom", answer) };
}

export default { render };
