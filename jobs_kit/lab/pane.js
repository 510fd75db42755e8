// One live pane on the page: title, state, transcript and, for a shell, a place to type.
// All that it shows comes from the model's traits; clicks and typed text go back as messages.

const SGR = /\x1b\[([0-9;]*)m/g;
const OTHER_CODES = /\x1b\[[0-9;?]*[ -\/]*[@-ln-~]/g;
const HUES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "grey"];

function element(tag, className, attributes = {}) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// One of 256 terminal colours becomes the nearest of the eight hues that both themes can show.
function hue(number) {
  if (number < 16) return number === 8 ? "grey" : HUES[number % 8];
  if (number > 231) return "grey";
  const levels = [Math.floor((number - 16) / 36), Math.floor((number - 16) / 6) % 6, (number - 16) % 6];
  const most = Math.max(...levels);
  const bits = levels.reduce((sum, level, i) => sum + (most && level * 2 > most ? 1 << i : 0), 0);
  return bits === 7 ? "grey" : HUES[bits];
}

function applyCodes(style, codes) {
  const numbers = (codes || "0").split(";").map(Number);
  while (numbers.length) {
    const code = numbers.shift();
    if (code === 0) style = {};
    else if (code === 1) style = { ...style, bold: true };
    else if (code === 22) style = { ...style, bold: false };
    else if (code === 39) style = { ...style, hue: "" };
    else if (code >= 30 && code <= 37) style = { ...style, hue: HUES[code - 30] };
    else if (code >= 90 && code <= 97) style = { ...style, hue: code === 90 ? "grey" : HUES[code - 90] };
    else if (code === 38 || code === 48) {
      const isIndex = numbers.shift() === 5;
      const value = isIndex ? numbers.shift() : numbers.splice(0, 3);
      if (code === 38 && isIndex) style = { ...style, hue: hue(value) };
    }
  }
  return style;
}

// Add text, which may hold colour codes, to a node; return the style that holds at its end.
function paint(node, text, style) {
  const add = (piece) => {
    if (!piece) return;
    if (!style.hue && !style.bold) return node.append(piece);
    const classes = [style.hue && `jk-${style.hue}`, style.bold && "jk-bold"];
    const span = element("span", classes.filter(Boolean).join(" "));
    span.textContent = piece;
    node.append(span);
  };
  text = text.replace(OTHER_CODES, "");
  let end = 0;
  for (const match of text.matchAll(SGR)) {
    add(text.slice(end, match.index));
    style = applyCodes(style, match[1]);
    end = match.index + match[0].length;
  }
  add(text.slice(end));
  return style;
}

// The transcript. Finished lines are only ever added, so that selections survive and a screen
// reader reads what is new; the last line is painted again, as it may still change.
function makeLog(title) {
  const log = element("div", "jk-log", {
    role: "log", "aria-live": "polite", "aria-label": `Transcript of ${title}`, tabindex: "0",
  });
  let done = "", style = {}, last = element("span", "");
  log.append(last);
  const show = (text) => {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 8;
    if (!text.startsWith(done)) {
      log.replaceChildren(last);
      [done, style] = ["", {}];
    }
    const finished = text.lastIndexOf("\n") + 1;
    if (finished > done.length) {
      const lines = element("span", "");
      style = paint(lines, text.slice(done.length, finished), style);
      last.before(lines);
      done = text.slice(0, finished);
    }
    last.replaceChildren();
    paint(last, text.slice(finished), style);
    if (atEnd) log.scrollTop = log.scrollHeight;
  };
  return { log, show };
}

// The place to type. Enter asks Python whether the input is finished; Shift+Enter does not ask.
function makeInput(model, title) {
  const form = element("div", "jk-form");
  const box = element("textarea", "jk-input", {
    rows: "1", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
    "aria-label": `Input of ${title}`, placeholder: "type Python, press Enter",
  });
  const run = element("button", "jk-button jk-run", { type: "button" });
  run.textContent = "Run";
  form.append(box, run);
  let back = 0, draft = "", asked = null;

  const fit = () => { box.rows = Math.min(10, box.value.split("\n").length); };
  const fill = (text) => { box.value = text; box.setSelectionRange(text.length, text.length); fit(); };
  const send = (what) => { asked = box.value; model.send({ do: what, code: asked }); };
  const recall = (step) => {
    const history = model.get("history");
    if (back === 0) draft = box.value;
    back = Math.max(0, Math.min(history.length, back + step));
    fill(back ? history[history.length - back] : draft);
  };
  const before = () => box.value.slice(0, box.selectionStart);
  const after = () => box.value.slice(box.selectionEnd);

  box.addEventListener("input", () => { back = 0; fit(); });
  box.addEventListener("keydown", (event) => {
    const plain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
    const selected = box.selectionStart !== box.selectionEnd;
    const act = () => event.preventDefault();
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey)) { act(); send("run"); }
    else if (event.key === "Enter" && plain && !after().trim()) { act(); send("enter"); }
    else if (event.key === "ArrowUp" && plain && !before().includes("\n")) { act(); recall(1); }
    else if (event.key === "ArrowDown" && plain && !after().includes("\n")) { act(); recall(-1); }
    else if (event.key === "Tab" && plain && /\n *$/.test(before())) { // elsewhere Tab leaves the box
      act(); box.setRangeText("    ", box.selectionStart, box.selectionEnd, "end");
    } else if (event.key === "c" && event.ctrlKey && !selected) { act(); model.send({ do: "Interrupt" }); }
  });
  run.addEventListener("click", () => { send("run"); box.focus(); });

  const answer = (message) => {
    if (message.code !== asked || !box.value.startsWith(asked)) return; // another view asked
    const typedSince = box.value.slice(asked.length);
    asked = null;
    if (message.do === "accepted") { back = 0; fill(typedSince); }
    else if (message.do === "more") fill(`${message.code}\n${message.indent}${typedSince}`);
  };
  return { form, answer };
}

function render({ model, el }) {
  const title = model.get("title"), kind = model.get("kind");
  const pane = element("section", "jk-pane", {
    "aria-label": `${kind} ${title}`, "data-kind": kind, "data-lm-suppress-shortcuts": "true",
  });
  // the notebook must not take keys that are meant for this pane
  for (const event of ["keydown", "keyup", "keypress", "paste", "copy", "cut", "contextmenu"]) {
    pane.addEventListener(event, (happened) => happened.stopPropagation());
  }
  const head = element("div", "jk-head");
  const name = element("span", "jk-title");
  name.textContent = title;
  const state = element("span", "jk-state", { role: "status" });
  const buttons = element("span", "jk-buttons");
  head.append(name, state, buttons);
  const { log, show } = makeLog(title);
  const notice = element("div", "jk-notice", { role: "status" });
  const input = model.get("takes_input") ? makeInput(model, title) : null;
  pane.append(head, log, ...(input ? [input.form] : []), notice);
  el.append(pane);

  const showState = () => {
    pane.dataset.state = model.get("state");
    state.textContent = model.get("state_text");
  };
  const showButtons = () => {
    for (const [label, works] of Object.entries(model.get("buttons"))) {
      let button = [...buttons.children].find((child) => child.textContent === label);
      if (!button) {
        button = element("button", "jk-button", { type: "button", "aria-label": `${label} ${title}` });
        button.textContent = label;
        button.addEventListener("click", () => model.send({ do: label }));
        buttons.append(button);
      }
      button.disabled = !works;
    }
  };
  const showNotice = () => { notice.textContent = model.get("notice"); };
  const watched = {
    "change:transcript": () => show(model.get("transcript")),
    "change:state": showState, "change:state_text": showState,
    "change:buttons": showButtons, "change:notice": showNotice,
    "msg:custom": (message) => input && input.answer(message),
  };
  for (const [event, act] of Object.entries(watched)) {
    model.on(event, act);
    if (event !== "msg:custom") act();
  }
  return () => Object.entries(watched).forEach(([event, act]) => model.off(event, act));
}

export default { render };
