// What is on the board at a moment? Events add up to a picture, by the rules of picture.py,
// at the pace that the reader has chosen: as they come, in slow motion, or not now.

const MOST_WAITING = 2000, MOST_ENDED = 60, MOST_GONE = 2, MOST_PRODUCERS = 50, MOST_RECORDS = 40, MINUTE = 60;
const MOST_BEHIND = 20000; // events that a paused board keeps; then it jumps
const SLOWER = 8, SLOW_STEP = 600, LONGEST_STEP = 2500, STORY_STEP = 1500; // milliseconds

const RULES = {
  look(picture, event) {
    const waiting = event.waiting.map(([message]) => message), kept = new Set(waiting);
    for (const message of picture.waiting) if (!kept.has(message)) delete picture.messages[message];
    const before = new Set(picture.waiting);
    for (const [message, text] of event.waiting) {
      if (!picture.messages[message]) {
        know(picture, message, text);
        step(picture, { ...event, message }, "found");
      } else if (!before.has(message)) {
        leave(picture, message);
        step(picture, { ...event, message }, "back");
      }
    }
    Object.assign(picture, { waiting, beyond: event.beyond });
  },
  put(picture, event) {
    const { who, message, first } = event;
    if (who) picture.producers[who] = (picture.producers[who] || 0) + 1;
    for (const old of Object.keys(picture.producers).slice(0, -MOST_PRODUCERS)) delete picture.producers[old];
    if ((picture.beyond || picture.waiting.length >= MOST_WAITING) && !first) { picture.beyond += 1; return; }
    if (picture.messages[message]) leave(picture, message);
    know(picture, message, event.text);
    picture.waiting.splice(first ? 0 : picture.waiting.length, 0, message);
    step(picture, event, "put", who);
  },
  take(picture, event) {
    const { who, message } = event;
    if (!picture.messages[message] && picture.beyond) picture.beyond -= 1;
    leave(picture, message);
    know(picture, message, event.text);
    if (!who) { end(picture, event, "taken"); return; }
    const worker = workerOf(picture, who);
    worker.holds.push(message);
    worker.waits = false;
    step(picture, event, "taken", who);
  },
  job(picture, event) {
    const known = picture.messages[event.message];
    if (!known) return;
    const old = known.job || {};
    known.job = { ...old, ...event.fields };
    if (known.job.status !== old.status) step(picture, event, known.job.status);
  },
  done(picture, event) {
    const holder = leave(picture, event.message);
    if (holder) holder.done += 1;
    end(picture, event, "done");
  },
  fail(picture, event) {
    leave(picture, event.message);
    end(picture, event, "failed", event.why);
  },
  back(picture, event) {
    if (!picture.messages[event.message]) return;
    leave(picture, event.message);
    picture.waiting.unshift(event.message);
    step(picture, event, "back");
  },
  remove(picture, event) {
    if (drop(picture.waiting, event.message)) delete picture.messages[event.message];
  },
  length() {},
  worker(picture, event) {
    Object.assign(workerOf(picture, event.who), { waits: event.waits, gone: false });
  },
  gone(picture, event) {
    const worker = picture.workers[event.who];
    delete picture.workers[event.who]; // the last to end is last
    if (worker) picture.workers[event.who] = { ...worker, gone: true, waits: false };
    const old = Object.entries(picture.workers).filter(([, one]) => one.gone && !one.holds.length);
    for (const [who] of old.slice(0, -MOST_GONE)) delete picture.workers[who];
  },
  leave(picture, event) { delete picture.workers[event.who]; },
  away(picture) { picture.here = false; },
  here(picture) { picture.here = true; },
  note(picture, event) { picture.note = event.text; },
  store(picture, event) {
    const { key, job, mark } = event, { records } = picture;
    records[key] = { job, fields: { ...records[key]?.fields, ...event.fields }, mark };
    for (const old of Object.keys(records).slice(0, -MOST_RECORDS)) delete records[old];
  },
  unstore(picture, event) { delete picture.records[event.key]; },
  read() {},
  keep(picture, event) { keep(picture, event, event.key); },
  release(picture, event) { keep(picture, event, ""); },
};

function apply(picture, event) {
  picture.at = Math.max(picture.at, event.at);
  RULES[event.did](picture, event);
  const minute = picture.minute, second = Math.floor(picture.at);
  if (!minute.length || minute.at(-1)[0] < second) {
    minute.push([second, 0, 0]);
    while (minute.length > 1 && minute[1][0] < second - MINUTE) minute.shift();
  }
  minute.at(-1)[1] = depthOf(picture);
  minute.at(-1)[2] += event.did === "take" ? 1 : 0;
}

function depthOf(picture) { return picture.waiting.length + picture.beyond; }

function workerOf(picture, who) {
  picture.workers[who] ||= { holds: [], waits: false, gone: false, done: 0 };
  return picture.workers[who];
}

function know(picture, message, text) { picture.messages[message] ||= { text, job: null, steps: [] }; }

function keep(picture, event, key) {
  if (picture.messages[event.message]) picture.messages[event.message].kept = key;
}

function step(picture, event, word, more = "") {
  picture.messages[event.message].steps.push([event.at, word, more]);
}

function drop(list, message) {
  const index = list.indexOf(message);
  if (index >= 0) list.splice(index, 1);
  return index >= 0;
}

// Take the message out of the place where it is; return the worker that held it, if one did.
function leave(picture, message) {
  drop(picture.waiting, message);
  for (const place of ["taken", "done", "failed"]) {
    if (drop(picture[place], message)) picture.counts[place] -= 1;
  }
  return Object.values(picture.workers).find((worker) => drop(worker.holds, message));
}

function end(picture, event, place, more = "") {
  know(picture, event.message, "");
  picture[place].push(event.message);
  picture.counts[place] += 1;
  step(picture, event, place, more);
  for (const old of picture[place].splice(0, picture[place].length - MOST_ENDED)) delete picture.messages[old];
}

// Plays events. A live one shows them as they come; one that plays a recording keeps their times.
// onShow() is called when the picture has changed.
class Player {
  constructor(picture, events, onShow) {
    this.isLive = !events;
    this.start = picture;
    this.events = events || []; // all of a recording
    this.onShow = onShow;
    this.story = this.events.filter((event) => event.says); // one sentence after another, if there are any
    this.isSlow = false;
    this.isPaused = !this.isLive; // a recording waits until it is asked to play
    this.reset();
    if (this.isLive) this.picture = structuredClone(picture);
    else this.seek(this.beginning);
  }

  reset() {
    this.picture = structuredClone(this.start);
    this.coming = []; // events that are not shown yet; {picture} is where a batch of them led to
    this.timer = null;
    this.shownAt = 0;
  }

  get beginning() { return this.events.length ? this.events[0].at : 0; }
  get length() { return this.events.length ? this.events.at(-1).at - this.beginning : 0; }
  get behind() { return this.coming.filter((one) => one.did).length; }

  // Live: what happened, and how things are after it. next: how many events were shown before.
  feed(news, picture) {
    const follows = news.first === this.next && news.last - news.first === news.events.length;
    if (follows && this.coming.length < MOST_BEHIND) this.coming.push(...news.events);
    else if (!follows) this.coming.length = 0;
    this.coming.push({ picture });
    this.next = news.last;
    this.play();
  }

  pause(isPaused) { this.isPaused = isPaused; this.play(); }
  slow(isSlow) { this.isSlow = isSlow; this.play(); }

  // Show a recording as it was at a time; from there it plays on.
  seek(at) {
    this.stop();
    this.reset();
    const index = this.events.findIndex((event) => event.at > at);
    const shown = index < 0 ? this.events : this.events.slice(0, index);
    for (const event of shown) apply(this.picture, event);
    this.coming = index < 0 ? [] : this.events.slice(index);
    this.at = at;
    this.shownAt = Date.now();
    this.play();
  }

  stop() { clearTimeout(this.timer); this.timer = null; }

  play() {
    this.stop();
    this.onShow();
    if (this.isPaused || !this.coming.length) return;
    if (this.isLive && !this.isSlow) while (this.coming.length) this.takeOne();
    else this.timer = setTimeout(() => { this.takeGroup(); this.play(); }, this.pauseBefore());
  }

  takeOne() {
    const one = this.coming.shift();
    if (one.did) { apply(this.picture, one); this.at = one.at; }
    else this.picture = structuredClone(one.picture);
  }

  // What one command did is shown at once; in a story, with what leads to the next sentence.
  takeGroup() {
    let isTold = !this.story.length;
    this.shownAt = Date.now();
    do {
      isTold ||= Boolean(this.coming[0].says);
      this.takeOne();
    } while (this.coming.length && (!isTold || !this.coming[0].did || this.coming[0].at === this.at));
  }

  // Milliseconds until the next event is shown: slow motion is eight times slower, and one by one.
  pauseBefore() {
    const next = this.coming[0];
    if (!next.did) return 0;
    const gap = this.at ? (next.at - this.at) * 1000 : 0, shownFor = Date.now() - this.shownAt;
    const wanted = this.story.length ? STORY_STEP : this.isSlow ? Math.max(gap * SLOWER, SLOW_STEP) : gap;
    return Math.max(Math.min(wanted, LONGEST_STEP) - shownFor, 0);
  }
}
