// The parts of a board: tokens, the lanes of workers, the two plots, the timeline of a message.
// Each sign has a form and a word as well as a colour.

const SVG = "http://www.w3.org/2000/svg";
const UUID = /([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;
const MOST_GLIDING = 30; // tokens at a time
const SIGNS = { waiting: "", held: "▶", done: "✓", failed: "✗", taken: "?" };
const WORDS = { // what a step of a timeline says
  found: () => "waits (it was there before the board)", put: (who) => who ? `put by ${who}` : "put",
  taken: (who) => who ? `taken by ${who}` : "taken, by whom is not visible", back: () => "back on the queue",
  failed: (why) => why ? `failed: ${why}` : "failed",
};
const PHASES = { put: "waits", found: "waits", back: "waits", taken: "held" };

function element(tag, className, attributes = {}, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(text, attributes, onPress) {
  const made = element("button", "jk-button", { type: "button", ...attributes }, text);
  made.addEventListener("click", onPress);
  return made;
}

// Set the children of a node, and touch it only if they have changed.
function fill(node, children) {
  const same = children.length === node.childNodes.length
    && children.every((child, index) => child === node.childNodes[index]);
  if (!same) node.replaceChildren(...children);
}

function say(node, text) { if (node.textContent !== text) node.textContent = text; }

function plural(count, noun) { return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`; }

// A token has no room for the names in a message: {"share": 8} is 8 on it.
function valuesIn(text) {
  try {
    const values = Object.values(Object(JSON.parse(text))), isFlat = values.every((one) => one === null || typeof one !== "object");
    return /^[{[]/.test(text) && values.length && isFlat ? values.join(" ") : text;
  } catch { return text; }
}

// What fits on a token: the beginning of an id, and of other texts the end as well.
function shortText(message) {
  const text = valuesIn(message);
  const short = text.replace(UUID, "$1…");
  return short.length <= 10 ? short || "·" : short !== text ? short.slice(0, 9) : `${text.slice(0, 5)}…${text.slice(-4)}`;
}

// What this page calls those that take messages.
function roleIn(picture) { return picture.role || "worker"; }

// The picture in one sentence, as text.py says it.
function summaryOf(picture) {
  const workers = Object.values(picture.workers).filter((one) => !one.gone);
  const busy = workers.filter((one) => one.holds.length).length, { counts } = picture;
  const parts = [
    `${depthOf(picture).toLocaleString("en")} waiting`,
    workers.length ? `${busy} of ${plural(workers.length, roleIn(picture))} busy` : `no ${roleIn(picture)}s`,
    `${counts.done.toLocaleString("en")} done`, `${counts.failed.toLocaleString("en")} failed`,
  ];
  if (counts.taken) parts.splice(2, 0, `${counts.taken.toLocaleString("en")} taken`);
  return parts.join(", ");
}

// The tokens on the board, one button for each message, which moves from zone to zone.
class Tokens {
  constructor(onChoose) {
    this.buttons = new Map();
    this.onChoose = onChoose;
  }

  // Return the button of a message, as it looks in a place.
  of(picture, message, place, more = "") {
    let token = this.buttons.get(message);
    if (!token) {
      token = element("button", "jk-token", { type: "button", tabindex: "-1" },
        element("span", "jk-sign", { "aria-hidden": "true" }), element("span", "jk-text"));
      token.addEventListener("click", () => this.onChoose(message));
      token.dataset.message = message;
      this.buttons.set(message, token);
    }
    const { text } = picture.messages[message];
    const label = `${text || "a message"}, ${place}${more && `, ${more}`}`;
    if (token.title !== label) { token.title = label; token.setAttribute("aria-label", label); }
    token.dataset.place = place;
    say(token.firstChild, SIGNS[place]);
    say(token.lastChild, shortText(text));
    this.shown.add(message);
    return token;
  }

  places() {
    return new Map([...this.buttons].map(([message, token]) => [message, token.getBoundingClientRect()]));
  }

  // Call draw(), and let each token glide from where it was to where it is.
  move(draw) {
    const still = document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const before = still ? null : this.places(), focused = document.activeElement;
    this.shown = new Set();
    draw();
    for (const message of this.buttons.keys()) if (!this.shown.has(message)) this.buttons.delete(message);
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    if (still) return;
    const moves = [...this.places()].map(([message, now]) => { // all are measured before one moves
      const old = before.get(message), [x, y] = old ? [old.left - now.left, old.top - now.top] : [-14, 0];
      return { token: this.buttons.get(message), x, y, opacity: old ? 1 : 0 };
    }).filter(({ x, y }) => x || y);
    if (moves.length > MOST_GLIDING) return; // too many to follow by eye
    for (const { token, x, y, opacity } of moves) {
      const way = [{ transform: `translate(${x}px, ${y}px)`, opacity }, { transform: "none", opacity: 1 }];
      token.animate(way, { duration: 260, easing: "ease-out" });
    }
  }
}

// A worker's lane: its name, what it does, the token that it holds, and a button to kill it.
function makeLane(who, onKill) {
  const parts = {
    name: element("span", "jk-who", {}, who), does: element("span", "jk-does"),
    hand: element("span", "jk-hand"),
    kill: button("Kill", { "aria-label": `Kill ${who}`, title: "SIGKILL: it ends at once" }, onKill),
  };
  const lane = element("div", "jk-lane", { role: "group" }, parts.name, parts.does, parts.hand, parts.kill);
  return { lane, ...parts };
}

function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// A plot of the last minute. values(minute, from): 61 numbers, one a second.
function makePlot(name, kind) {
  const path = svg("path", { "vector-effect": "non-scaling-stroke" });
  const frame = svg("svg", { viewBox: "0 0 60 20", preserveAspectRatio: "none", role: "img" });
  const title = svg("title", {}), words = element("figcaption", "jk-plot-text");
  frame.append(title, path);
  const show = (values, text) => {
    const most = Math.max(...values, 1), y = (value) => (19 - 17 * value / most).toFixed(2);
    const steps = values.map((value, second) => `L${second} ${y(value)}H${second + 1}`).join("");
    path.setAttribute("d", `M0 19${steps}V19Z`);
    say(words, `${name}: ${text}`);
    say(title, `${name} in the last minute: ${text}`);
  };
  return { plot: element("figure", `jk-plot jk-${kind}`, {}, words, frame), show };
}

// The depth in each of the last 60 seconds, and how many messages were taken in each.
function lastMinute(minute, now) {
  const depths = [], taken = [], from = Math.floor(now) - MINUTE;
  let index = 0, depth = 0;
  for (let second = from; second <= from + MINUTE; second += 1) {
    let count = 0;
    for (; index < minute.length && minute[index][0] <= second; index += 1) {
      depth = minute[index][1];
      if (minute[index][0] === second) count = minute[index][2];
    }
    depths.push(depth);
    taken.push(count);
  }
  return { depths, taken };
}

// The timeline of one message: a bar, and the same as a list.
function timelineOf(known, now) {
  const steps = known.steps.map(([at, word, more]) => ({ at, word, more }));
  const begun = steps[0].at, bar = element("div", "jk-bar", { "aria-hidden": "true" });
  const list = element("ol", "jk-steps");
  steps.forEach(({ at, word, more }, index) => {
    const words = (WORDS[word] || (() => word))(more);
    list.append(element("li", "", {}, element("span", "jk-when", {}, `+${(at - begun).toFixed(2)} s`), words));
    const next = steps[index + 1], isEnd = ["done", "failed", "taken"].includes(word) && !next && (word !== "taken" || !more);
    const lasts = isEnd ? 0 : (next ? next.at : now) - at;
    if (lasts < 0.005 && next) return;
    const phase = PHASES[word] || word, seconds = isEnd ? "" : ` ${lasts.toFixed(2)} s`;
    const part = element("span", "jk-phase", { "data-phase": phase }, `${phase}${seconds}`);
    part.style.flexGrow = String(Math.max(lasts, 0.001));
    bar.append(part);
  });
  return [bar, list];
}

// The records of jobs in Redis, a card each: key and fields. A ghost has a form and a word as well as a colour.
const MARKS = { ghost: "✗ not the job's key", missing: "✗ not saved" };

function makeRecords() {
  const title = element("div", "jk-zone-title", {}, "jobs in Redis"), body = element("div", "jk-zone-body", { role: "group", "aria-label": "jobs in Redis" });
  const zone = element("div", "jk-zone jk-records", { hidden: "" }, title, body);
  const draw = (records) => {
    const cards = Object.entries(records).map(([key, { fields, mark }]) => {
      const words = [...Object.entries(fields).map(([name, value]) => `${name}: ${value}`), MARKS[mark]].filter(Boolean);
      return element("div", "jk-record", { "data-mark": mark }, element("span", "jk-key", {}, key), ...words.map((text) => element("span", "jk-field", {}, text)));
    });
    zone.hidden = !cards.length;
    if (zone.dataset.shown !== JSON.stringify(records)) body.replaceChildren(...cards);
    zone.dataset.shown = JSON.stringify(records);
  };
  return { zone, draw };
}

// The story of a recording: its sentences, the one that is shown marked; a click goes there.
function makeStory(player) {
  const lines = player.story.map((event) => {
    const time = element("span", "jk-when", {}, `${event.at.toFixed(3)} s`);
    const line = element("button", "jk-line", { type: "button" }, time, element("span", "", {}, `${event.fault ? "⚠ " : ""}${event.says}`));
    line.dataset.fault = String(Boolean(event.fault));
    line.addEventListener("click", () => { player.pause(true); player.seek(event.at); });
    return line;
  });
  const list = element("ol", "jk-story", { "aria-label": "What happened" }, ...lines.map((line) => element("li", "", {}, line)));
  const steps = [...new Set(player.story.map((event) => event.at))]; // what has one time is one step
  const step = () => steps.findLastIndex((at) => at <= player.at);
  const go = (by) => { player.pause(true); player.seek(steps[Math.max(0, Math.min(step() + by, steps.length - 1))]); };
  const back = button("◀ Back", { "aria-label": "Previous step" }, () => go(-1)), next = button("Next ▶", { "aria-label": "Next step" }, () => go(1));
  const slider = element("input", "jk-slider", { type: "range", min: "0", max: String(steps.length - 1), step: "1", "aria-label": "Step" });
  slider.addEventListener("input", () => { player.pause(true); player.seek(steps[Number(slider.value)]); });
  const count = element("span", "jk-time");
  const show = () => {
    const now = step();
    player.story.forEach((event, index) => {
      lines[index].dataset.when = event.at > player.at ? "later" : event.at === steps[now] ? "now" : "before";
      lines[index].setAttribute("aria-current", event.at === steps[now] ? "step" : "false");
    });
    const current = lines.find((line) => line.dataset.when === "now");
    if (current) list.scrollTop = current.offsetTop - (list.clientHeight - current.offsetHeight) / 2;
    back.disabled = now <= 0;
    next.disabled = now >= steps.length - 1;
    slider.value = String(now);
    say(count, `step ${now + 1} of ${steps.length}`);
  };
  return { list, bar: element("div", "jk-controls", {}, back, next, slider, count), show };
}
