// A queue on the page: producers, tokens that wait, workers, what is done and what failed; the
// controls, and the plots of the last minute. What is shown when, player.js decides.

const TOKEN_WIDTH = 104, TOKEN_ROWS = 6, MOST_LANES = 18, MOST_NAMES = 8, MOST_LAST = 6;
const SPEAK_MILLISECONDS = 3000; // between two sentences for a screen reader
const ARROWS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

function zone(name, ...more) {
  const title = element("div", "jk-zone-title"), body = element("div", "jk-zone-body", { role: "group", "aria-label": name });
  return { title, body, zone: element("div", `jk-zone jk-${name}`, {}, title, body, ...more) };
}

function numbered(count, sign, word) { return `${sign} ${count.toLocaleString("en")} ${word}`.trim(); }

// The stage: four zones, drawn from a picture.
function makeStage(onChoose, onKill) {
  const tokens = new Tokens(onChoose), lanes = new Map();
  const producers = zone("producers"), queue = zone("queue"), workers = zone("workers"), ended = zone("ended");
  const places = Object.fromEntries(["taken", "done", "failed"].map((place) => [place, zone(place)]));
  const why = element("div", "jk-why"), more = element("span", "jk-more");
  ended.body.append(...Object.values(places).map((place) => place.zone), why);
  ended.title.textContent = "ended";
  const stage = element("div", "jk-stage", {}, producers.zone, queue.zone, workers.zone, ended.zone);

  const drawLane = (picture, who, own) => {
    if (!lanes.has(who)) lanes.set(who, makeLane(who, () => onKill(who)));
    const parts = lanes.get(who), worker = picture.workers[who] || { holds: [], done: 0, starts: true };
    const state = worker.gone ? "gone" : worker.starts ? "starts" : worker.holds.length ? "works" : "waits";
    const kept = worker.holds.length ? picture.messages[worker.holds[0]].kept : undefined;
    const keeps = kept === undefined ? "" : kept ? ", kept in Redis" : ", not in Redis";
    const does = { gone: `■ ended${keeps}`, starts: "starts …", works: `works${keeps}`, waits: worker.waits ? "○ waits" : "○ is there" }[state];
    say(parts.does, does);
    parts.lane.dataset.state = state;
    parts.lane.setAttribute("aria-label", `${who} ${does}, ${worker.done} done`);
    parts.lane.title = `${who}: ${worker.done} done`;
    fill(parts.hand, worker.holds.slice(0, 2).map((message) => tokens.of(picture, message, "held", who)));
    parts.kill.hidden = !own.includes(who) || state === "gone";
    return parts.lane;
  };

  const drawLanes = (picture, own) => {
    const known = Object.keys(picture.workers), gone = known.filter((who) => picture.workers[who].gone);
    const starting = own.filter((who) => !known.includes(who));
    const all = [...known.filter((who) => !gone.includes(who)), ...starting, ...gone], shown = all.slice(0, MOST_LANES);
    say(workers.title, plural(known.length - gone.length, roleIn(picture)));
    workers.body.classList.toggle("jk-many", shown.length > 8);
    for (const who of lanes.keys()) if (!shown.includes(who)) lanes.delete(who);
    const nodes = shown.map((who) => drawLane(picture, who, own));
    if (all.length > shown.length) nodes.push(element("div", "jk-more", {}, `+ ${all.length - shown.length} more`));
    fill(workers.body, nodes);
  };

  const drawQueue = (picture) => {
    const fits = Math.max(3, Math.floor(queue.body.clientWidth / TOKEN_WIDTH)) * TOKEN_ROWS - 1;
    const shown = picture.waiting.slice(0, fits), rest = depthOf(picture) - shown.length;
    say(queue.title, `${depthOf(picture).toLocaleString("en")} waiting, next →`);
    say(more, `+ ${rest.toLocaleString("en")} more`);
    fill(queue.body, [...shown.map((message) => tokens.of(picture, message, "waiting")), ...(rest ? [more] : [])]);
  };

  const drawProducers = (picture) => {
    const names = Object.entries(picture.producers);
    say(producers.title, plural(names.length, "producer"));
    const lines = names.slice(-MOST_NAMES).map(([who, count]) => [who, ` ${count.toLocaleString("en")} put`]);
    if (names.length > MOST_NAMES) lines.push([`+ ${names.length - MOST_NAMES} more`, ""]);
    if (producers.body.dataset.lines === String(lines)) return;
    producers.body.dataset.lines = String(lines);
    producers.body.replaceChildren(...lines.map(([who, count]) => element("div", "jk-producer", { title: who },
      element("span", "jk-who", {}, who), element("span", "jk-does", {}, count))));
  };

  const drawEnded = (picture) => {
    for (const [place, { zone: node, title, body }] of Object.entries(places)) {
      say(title, numbered(picture.counts[place], SIGNS[place], place));
      fill(body, picture[place].slice(-MOST_LAST).reverse().map((message) => tokens.of(picture, message, place)));
      node.hidden = place === "taken" && !picture.counts.taken;
    }
    const last = picture.messages[picture.failed.at(-1)];
    say(why, last ? last.steps.findLast(([, word]) => word === "failed")[2] : "");
  };

  const draw = (picture, own) => {
    tokens.move(() => {
      drawProducers(picture);
      drawQueue(picture);
      drawLanes(picture, own);
      drawEnded(picture);
    });
    const all = [...stage.querySelectorAll(".jk-token")];
    if (!all.some((token) => token.tabIndex === 0) && all.length) all[0].tabIndex = 0;
  };

  stage.addEventListener("keydown", (event) => { // the arrows go from token to token
    const all = [...stage.querySelectorAll(".jk-token")], here = all.indexOf(document.activeElement);
    const next = all[here + ARROWS[event.key]];
    if (here < 0 || !next) return;
    event.preventDefault();
    for (const token of all) token.tabIndex = token === next ? 0 : -1;
    next.focus();
  });
  return { stage, queue: queue.body, draw };
}

// What happened to one message, in a panel below the stage.
function makeDetail(onClose) {
  const title = element("span", "jk-title"), more = element("span", "jk-job"), body = element("div", "");
  const close = button("Close", { "aria-label": "Close the timeline" }, onClose);
  const panel = element("section", "jk-detail", { "aria-label": "Timeline of a message", hidden: "" },
    element("div", "jk-detail-head", {}, title, more, close), body);
  const show = (known, now) => {
    panel.hidden = !known;
    if (!known) return;
    const job = known.job, dates = job && job.start ? `, from ${job.start} to ${job.end}` : "";
    say(title, known.text || "a message");
    say(more, job ? `a job, ${job.status || "without a status"}${dates}` : "");
    body.replaceChildren(...timelineOf(known, now));
  };
  return { panel, close, show };
}

function makeControls(model) {
  const text = element("input", "jk-entry", { type: "text", "aria-label": "Message", placeholder: "hello", autocomplete: "off" });
  const times = element("input", "jk-times", { type: "number", "aria-label": "How many", min: "1", max: "1000", value: "1" });
  const send = (what) => () => model.send(what());
  const put = send(() => ({ do: "put", text: text.value, times: Number(times.value) }));
  text.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) put(); });
  const { failure } = model.get("controls");
  const fail = failure === null ? [] : [button("Put one that fails", { title: `puts ${JSON.stringify(failure)}` }, send(() => ({ do: "fail" })))];
  return element("div", "jk-controls", { role: "group", "aria-label": "Controls" }, text, "×", times,
    button("Put", {}, put), ...fail,
    button(`Start a ${roleIn(model.get("picture"))}`, {}, send(() => ({ do: "start" }))));
}

function makeSlider(player) {
  const slider = element("input", "jk-slider", { type: "range", min: "0", step: "any", value: "0", "aria-label": "Time" });
  const time = element("span", "jk-time");
  slider.max = String(player.length);
  slider.addEventListener("input", () => player.seek(player.beginning + Number(slider.value)));
  const show = () => {
    const at = player.at - player.beginning;
    slider.value = String(at);
    slider.setAttribute("aria-valuetext", `${at.toFixed(1)} seconds`);
    say(time, `${at.toFixed(1)} s of ${player.length.toFixed(1)} s`);
  };
  return { bar: element("div", "jk-controls", {}, slider, time), show };
}

function render({ model, el }) {
  const isLive = model.get("state") !== "recorded";
  let frame = null, clock = null, spoken = 0, chosen = null, slider = null;
  const now = () => isLive && !player.isPaused && !player.isSlow ? Math.max(player.picture.at, Date.now() / 1000) : player.at || player.picture.at;
  const redraw = () => { frame ||= requestAnimationFrame(() => { frame = null; draw(); }); };
  const player = new Player(isLive ? model.get("picture") : model.get("recording").start, isLive ? null : model.get("recording").events, redraw);
  player.next = model.get("news").last;

  const board = element("section", "jk-pane jk-board", { "aria-label": model.get("title"), "data-lm-suppress-shortcuts": "true" });
  for (const kind of ["keydown", "keyup", "keypress", "paste", "copy", "cut"]) board.addEventListener(kind, (event) => event.stopPropagation());
  const state = element("span", "jk-state"), summary = element("span", "jk-summary");
  const pause = button("Pause", {}, () => {
    if (!isLive && player.isPaused && !player.coming.length) player.seek(player.beginning);
    player.pause(!player.isPaused);
  });
  const slow = button("Slow motion", { title: "show one change after another; the queue itself goes on as fast as it does" },
    () => player.slow(!player.isSlow));
  const stage = makeStage((message) => { chosen = message; draw(); }, (who) => model.send({ do: "kill", who }));
  const detail = makeDetail(() => {
    const token = stage.stage.querySelector(`[data-message="${chosen}"]`);
    chosen = null;
    draw();
    (token || pause).focus();
  });
  const depths = makePlot("waiting", "depth"), taken = makePlot("taken per second", "taken");
  const notice = element("div", "jk-notice", { role: "status" }), speech = element("div", "jk-speech", { role: "status", "aria-live": "polite" });
  const banner = element("div", "jk-banner");
  const isStory = player.story.length > 0, records = makeRecords();
  if (!isLive) slider = isStory ? makeStory(player) : makeSlider(player);
  const controls = isLive ? makeControls(model) : slider.bar;
  const below = isStory ? [controls, slider.list] : [element("div", "jk-plots", {}, depths.plot, taken.plot), controls];
  slow.hidden = isStory;
  board.append(
    element("div", "jk-head", {}, element("span", "jk-title", {}, model.get("title")), state, summary, element("span", "jk-buttons", {}, pause, slow)),
    banner, stage.stage, records.zone, detail.panel, ...below, notice, speech);
  board.addEventListener("keydown", (event) => { if (event.key === "Escape" && chosen) detail.close.click(); });
  el.append(board);

  const stateText = () => {
    const own = model.get("state"), behind = player.behind ? `, ${plural(player.behind, "change")} behind` : "";
    if (own === "closed") return "closed: run the cell again";
    if (!isLive) return player.isPaused ? "recorded, paused" : player.coming.length ? player.isSlow ? "recorded, slow motion" : "recorded, playing" : "recorded, at its end";
    return player.isPaused ? `paused${behind}` : player.isSlow ? `slow motion${behind}` : own === "away" ? "Redis is away" : "live";
  };

  const drawPlots = () => {
    clearTimeout(clock);
    const { picture } = player, last = lastMinute(picture.minute, now());
    const total = last.taken.reduce((sum, count) => sum + count, 0), most = Math.max(...last.depths);
    depths.show(last.depths, `${depthOf(picture).toLocaleString("en")} now, at most ${most.toLocaleString("en")}`);
    taken.show(last.taken, `${(last.taken.slice(-11, -1).reduce((sum, count) => sum + count, 0) / 10).toFixed(1)} in the last 10 s, ${total.toLocaleString("en")} in the last minute`);
    const moves = total || last.depths.some((depth) => depth !== last.depths[0]);
    if (isLive && moves && !player.isPaused) clock = setTimeout(redrawPlots, 1000);
  };
  const redrawPlots = () => requestAnimationFrame(() => { if (board.isConnected) drawPlots(); });

  const speak = () => {
    const wait = spoken + SPEAK_MILLISECONDS - Date.now();
    if (wait > 0) { speak.timer ||= setTimeout(() => { speak.timer = null; speak(); }, wait); return; }
    if (speech.textContent !== summary.textContent) spoken = Date.now();
    say(speech, summary.textContent);
  };

  const draw = () => {
    const { picture } = player, own = isLive ? model.get("controls").workers || [] : [];
    board.dataset.state = player.isPaused || player.isSlow ? "busy" : { live: "idle", away: "failed" }[model.get("state")] || "";
    say(state, stateText());
    say(summary, summaryOf(picture));
    say(pause, player.isPaused ? isLive ? "Resume" : "Play" : "Pause");
    slow.setAttribute("aria-pressed", String(player.isSlow));
    say(banner, picture.here ? picture.note : "Redis does not answer; the board waits for it.");
    stage.draw(picture, own);
    records.draw(picture.records);
    detail.show(picture.messages[chosen], now());
    drawPlots();
    if (slider) slider.show();
    speak();
  };

  const tell = (what) => { if (isLive && model.get("state") !== "closed") model.send({ do: what }); };
  const watched = {
    "change:news": () => player.feed(model.get("news"), model.get("picture")),
    "change:controls": redraw,
    "change:state": () => {
      for (const one of board.querySelectorAll(".jk-controls > *, .jk-lane .jk-button")) one.disabled = model.get("state") === "closed";
      redraw();
    },
    "change:notice": () => say(notice, model.get("notice")),
    "msg:custom": (message) => { if (message.do === "who shows it") tell("here"); },
  };
  for (const [event, act] of Object.entries(watched)) model.on(event, act);
  watched["change:state"]();
  tell("here");
  const resized = new ResizeObserver(redraw);
  resized.observe(stage.queue);
  return () => {
    Object.entries(watched).forEach(([event, act]) => model.off(event, act));
    resized.disconnect();
    player.stop();
    clearTimeout(clock);
    cancelAnimationFrame(frame);
    tell("left");
  };
}

export default { render };
