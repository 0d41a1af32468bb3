// The time left of the held places: seen at every moment, said aloud every five minutes and at the
// end, and prolonged by a button or by activity in the page.
import { deadline } from "./deadline.js";
import { _, ngettext } from "./texts.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const ANSWER_TIMEOUT = 10 * SECOND;

/** Count down every element that has `data-hold-id`, and keep them while the family is active. */
export function countDownHolds() {
  const holds = [...document.querySelectorAll("[data-hold-id]")]
    .filter((element) => element.querySelector("[data-remaining]"))
    .map((element) => new HeldPlace(element));
  if (holds.length === 0) return;
  for (const hold of holds) hold.begin();
  prolongByButton(holds);
  prolongByActivity(holds);
}

class HeldPlace {
  #element;
  #announcer;
  #announced = null;
  #expiresAt;
  #clockError;
  #timer;

  constructor(element) {
    this.#element = element;
    this.#expiresAt = Date.parse(element.dataset.expiresAt);
    // A family's clock may be wrong: the page carries the server's.
    this.#clockError = Date.now() - Date.parse(element.dataset.now);
  }

  get id() {
    return this.#element.dataset.holdId;
  }

  get left() {
    return this.#expiresAt + this.#clockError - Date.now();
  }

  begin() {
    this.#announcer = addAnnouncer(this.#element);
    if (this.left > 0) this.#run();
  }

  keepUntil({ expires_at, until }, now) {
    this.#expiresAt = Date.parse(expires_at);
    this.#clockError = Date.now() - Date.parse(now);
    this.#find("until").textContent = until;
    this.#announced = null;
    this.#run();
  }

  end() {
    clearInterval(this.#timer);
    this.#expiresAt = 0;
    const kept = this.#find("kept");
    const ended = this.#find("ended");
    if (kept.hidden) return;
    const hadFocus = kept.contains(document.activeElement);
    kept.hidden = true;
    ended.hidden = false;
    if (hadFocus) ended.querySelector("a").focus();
    this.say(_("place qui n'est plus retenue. Choisissez de nouveau un créneau."));
  }

  say(text) {
    const subject = this.#find("label").textContent;
    this.#announcer.textContent = _("%(subject)s : %(text)s", { subject, text });
  }

  holds(node) {
    return this.#element.contains(node);
  }

  #run() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#show(), SECOND);
    this.#find("kept").hidden = false;
    this.#find("ended").hidden = true;
    this.#show();
  }

  #show() {
    if (this.left <= 0) {
      this.end();
      return;
    }
    this.#element.querySelector("[data-remaining]").textContent = _(", encore %(left)s", {
      left: duration(this.left),
    });
    const moment = this.left <= MINUTE ? "last minute" : Math.ceil(this.left / (5 * MINUTE));
    if (this.#announced !== null && moment !== this.#announced) {
      this.say(_("place retenue encore %(left)s.", { left: duration(this.left) }));
    }
    this.#announced = moment;
  }

  #find(part) {
    return this.#element.querySelector(`[data-hold-${part}]`);
  }
}

// Where the script cannot prolong, the button sends its form: the page that answers says why.
function prolongByButton(holds) {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[name=prolonger]");
    const hold = button && holds.find((each) => each.holds(button));
    if (!hold) return;
    event.preventDefault();
    try {
      const kept = await prolong([hold]);
      hold.say(kept.get(hold.id) ?? _("place qui n'est plus retenue."));
    } catch {
      send(button);
    }
  });
}

function send(button) {
  const { form, name, value } = button;
  if (form.requestSubmit) {
    form.requestSubmit(button);
    return;
  }
  // An older browser has only `submit`, which knows of no button.
  const pressed = document.createElement("input");
  Object.assign(pressed, { type: "hidden", name, value });
  form.append(pressed);
  form.submit();
}

function prolongByActivity(holds) {
  let prolongedAt = Date.now();
  for (const kind of ["input", "click"]) {
    document.addEventListener(kind, (event) => {
      if (event.defaultPrevented) return;
      const live = holds.filter((hold) => hold.left > 0);
      if (live.length === 0 || Date.now() - prolongedAt < MINUTE) return;
      prolongedAt = Date.now();
      // A renewal lost is tried again at the next activity; the time left stays the one shown.
      prolong(live).catch(() => {});
    });
  }
}

// Gives by hold the words to say of it; one that has ended has none.
async function prolong(holds) {
  const response = await fetch("/places/prolonger", {
    method: "POST",
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      "x-csrf-token": document.querySelector("input[name=_csrf_token]").value,
    },
    body: JSON.stringify({ hold_ids: holds.map((hold) => hold.id) }),
    signal: deadline(ANSWER_TIMEOUT).signal,
  });
  if (!response.ok) throw new Error(`the holds were not prolonged: ${response.status}`);
  const { now, holds: kept } = await response.json();
  const answers = new Map(kept.map((answer) => [answer.id, answer]));
  for (const hold of holds) {
    const answer = answers.get(hold.id);
    if (answer) hold.keepUntil(answer, now);
    else hold.end();
  }
  return new Map(kept.map(({ id, text }) => [id, text]));
}

function duration(milliseconds) {
  return milliseconds <= MINUTE
    ? ngettext("%(num)s seconde", "%(num)s secondes", Math.ceil(milliseconds / SECOND))
    : ngettext("%(num)s minute", "%(num)s minutes", Math.ceil(milliseconds / MINUTE));
}

function addAnnouncer(element) {
  const announcer = document.createElement("span");
  announcer.className = "govuk-visually-hidden";
  announcer.setAttribute("aria-live", "polite");
  element.append(announcer);
  return announcer;
}
