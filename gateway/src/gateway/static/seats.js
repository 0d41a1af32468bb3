// The seats left of each slot, kept true while the page is open: a stream, or asking now and then.
// Without this script the page shows the count at load.
import { _, ngettext } from "./texts.js";

const SECOND = 1000;
const FIRST_PAUSE = 1 * SECOND;
const FAILURES_BEFORE_ASKING = 3;
const ASKED_EVERY = 5 * SECOND;
const STREAM_TRIED_AGAIN_AFTER = 60 * SECOND;
const SAID_AFTER = 2 * SECOND;
const NAMED_AT_MOST = 3;
const FOLLOWED_AT_MOST = 100;

/** Keep every element that has `data-seats-of` true, in the part of the page that asks for it. */
export function followSeats() {
  const part = document.querySelector("[data-seats-stream]");
  if (!part) return;
  const counts = groupByCourse(part.querySelectorAll("[data-seats-of]:not([data-held])"));
  if (counts.size === 0) return;
  const announce = makeAnnouncer(part);
  // The server follows no more for one page: the counts beyond stay those of the load.
  const query = [...counts.keys()]
    .slice(0, FOLLOWED_AT_MOST)
    .map((course) => `cours=${encodeURIComponent(course)}`)
    .join("&");
  const link = new Link(`/places/flux?${query}`, `/places?${query}`, (seats) => {
    for (const count of counts.get(seats.course_id) ?? []) show(count, seats, announce);
  });
  const follow = () => (document.hidden ? link.stop() : link.start());
  document.addEventListener("visibilitychange", follow);
  follow();
}

// In the words of the server.
function words(seatsLeft) {
  if (seatsLeft === 0) return _("Complet");
  return ngettext("%(num)s place", "%(num)s places", seatsLeft);
}

function groupByCourse(elements) {
  const counts = new Map();
  for (const element of elements) {
    const course = element.dataset.seatsOf;
    counts.set(course, [...(counts.get(course) ?? []), element]);
  }
  return counts;
}

function show(count, seats, announce) {
  const text = words(seats.seats_left);
  if (count.textContent.trim() === text) return;
  const wasFull = count.textContent.trim() === words(0);
  const isFull = seats.seats_left === 0;
  count.textContent = text;
  const item = count.closest(".govuk-radios__item");
  const radio = item?.querySelector("input[type=radio]");
  // A slot chosen, or about to be, stays so: sending it says that it is full, and what to do.
  if (radio) radio.disabled = isFull && !radio.checked && radio !== document.activeElement;
  const list = count
    .closest(".rentree-slots")
    ?.querySelector(`[data-waiting-list-of="${seats.course_id}"]`);
  if (list && !list.contains(document.activeElement)) list.hidden = !isFull;
  if (wasFull !== isFull) announce(item?.querySelector("label")?.textContent.trim(), isFull);
}

// One voice for the page: what filled up or was freed within a moment is said together.
function makeAnnouncer(part) {
  const voice = document.createElement("p");
  voice.className = "govuk-visually-hidden";
  voice.setAttribute("aria-live", "polite");
  part.append(voice);
  const changed = new Map();
  let timer = null;

  function say() {
    timer = null;
    const full = [...changed].filter(([, isFull]) => isFull).map(([slot]) => slot);
    const free = [...changed].filter(([, isFull]) => !isFull).map(([slot]) => slot);
    changed.clear();
    voice.textContent = [filled(full), freed(free)].filter(Boolean).join(" ");
  }

  return (slot, isFull) => {
    if (!slot) return;
    // What filled up and was freed again meanwhile has not changed.
    if (changed.get(slot) === !isFull) changed.delete(slot);
    else changed.set(slot, isFull);
    timer ??= setTimeout(say, SAID_AFTER);
  };
}

function filled(slots) {
  if (slots.length === 0) return "";
  return slots.length > NAMED_AT_MOST
    ? _("%(count)s créneaux sont maintenant complets.", { count: slots.length })
    : _("Complet : %(slots)s.", { slots: slots.join(" ; ") });
}

function freed(slots) {
  if (slots.length === 0) return "";
  return slots.length > NAMED_AT_MOST
    ? _("%(count)s créneaux ont de nouveau des places.", { count: slots.length })
    : _("De nouveau des places : %(slots)s.", { slots: slots.join(" ; ") });
}

/** The way to the live seats, which mends itself: a stream or, while there is none, asking. */
class Link {
  #streamUrl;
  #seatsUrl;
  #tell;
  #running = null;
  #stream = null;
  #timer = null;
  #failures = 0;

  constructor(streamUrl, seatsUrl, tell) {
    this.#streamUrl = streamUrl;
    this.#seatsUrl = seatsUrl;
    this.#tell = tell;
  }

  start() {
    if (this.#running) return;
    this.#running = new AbortController();
    this.#failures = 0;
    this.#open();
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
    this.#stream?.close();
    clearTimeout(this.#timer);
  }

  #open() {
    const stream = new EventSource(this.#streamUrl);
    this.#stream = stream;
    stream.onopen = () => {
      this.#failures = 0;
    };
    stream.onmessage = ({ data }) => this.#tell(JSON.parse(data));
    stream.onerror = () => {
      // A browser's own attempts know no patience: ours are further and further apart.
      stream.close();
      this.#failures += 1;
      if (this.#failures < FAILURES_BEFORE_ASKING) {
        this.#later(FIRST_PAUSE * 2 ** this.#failures, () => this.#open());
      } else {
        this.#ask(this.#running.signal, Date.now() + STREAM_TRIED_AGAIN_AFTER);
      }
    };
  }

  async #ask(signal, streamAt) {
    for (const seats of await fetchSeats(this.#seatsUrl, signal)) this.#tell(seats);
    if (signal.aborted) return;
    if (Date.now() < streamAt) this.#later(ASKED_EVERY, () => this.#ask(signal, streamAt));
    else this.#open();
  }

  /** Do it after a pause that differs from page to page: they do not all come back at once. */
  #later(pause, act) {
    this.#timer = setTimeout(act, pause * (0.5 + Math.random()));
  }
}

async function fetchSeats(url, signal) {
  try {
    const response = await fetch(url, { headers: { accept: "application/json" }, signal });
    return response.ok ? await response.json() : [];
  } catch {
    // Unreachable: the counts stay as they were, and it is asked again.
    return [];
  }
}
