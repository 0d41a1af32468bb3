// The opening of a campaign: time left by the server's clock, then the way in, without a reload.
// Without this script the page says when to come back.

import { deadline } from "./deadline.js";
import { MINUTE, SECOND, duration } from "./duration.js";
import { Interruption } from "./refusal.js";

const FIRST_PAUSE = 2 * SECOND;
const LONGEST_PAUSE = 30 * SECOND;
const ANSWER_TIMEOUT = 10 * SECOND;

/** Count down to the opening that the page waits for, and go on by itself. */
export function awaitOpening() {
  const element = document.querySelector("[data-opening]");
  if (!element) return;
  element.querySelector("[data-opening-by-itself]").hidden = false;
  element.querySelector("[data-opening-without-script]").hidden = true;
  new Opening(element).begin();
}

class Opening {
  #element;
  #opensAt;
  #clockError;
  #timer;
  #announced = null;

  constructor(element) {
    this.#element = element;
    this.#learn(element.dataset.opensAt, element.dataset.now);
  }

  begin() {
    this.#timer = setInterval(() => this.#show(), SECOND);
    // a page in the background counts late
    document.addEventListener("visibilitychange", () => this.#show());
    this.#show();
  }

  // A family's clock may be wrong: the page carries the server's.
  #learn(opensAt, now) {
    this.#opensAt = Date.parse(opensAt);
    this.#clockError = Date.now() - Date.parse(now);
  }

  get #left() {
    return this.#opensAt + this.#clockError - Date.now();
  }

  #show() {
    if (this.#timer === null) return;
    const left = this.#left;
    this.#element.querySelector("[data-opening-left]").textContent = duration(Math.max(0, left));
    if (left > 0) {
      this.#sayNowAndThen(left);
      return;
    }
    clearInterval(this.#timer);
    this.#timer = null;
    this.#tell(this.#element.dataset.opens);
    // not all at once: each waits a moment of its own
    const spread = Number(this.#element.dataset.spreadSeconds) * SECOND;
    setTimeout(() => this.#ask(FIRST_PAUSE), Math.random() * spread);
  }

  // Aloud at most each minute, and each ten minutes while it is far.
  #sayNowAndThen(left) {
    const moment = left > 10 * MINUTE ? Math.ceil(left / (10 * MINUTE)) + 10 : Math.ceil(left / MINUTE);
    if (this.#announced !== null && moment !== this.#announced) {
      this.#say(this.#element.querySelector("p").textContent.replace(/\s+/g, " ").trim());
    }
    this.#announced = moment;
  }

  async #ask(pause) {
    try {
      if (!(await this.#isOpen())) return;
    } catch (error) {
      if (error instanceof Interruption) {
        this.#tell(this.#element.dataset.patience);
        const moment = pause * (0.5 + Math.random());
        setTimeout(() => this.#ask(Math.min(2 * pause, LONGEST_PAUSE)), moment);
        return;
      }
      console.error(error);
    }
    location.replace(this.#element.dataset.leadsTo);
  }

  // A clock that ran ahead counts again, by the answer's.
  async #isOpen() {
    const response = await this.#answer();
    // whoever must sign in again, or has nothing to do here any more, is told by the page itself
    if (!response.ok) return true;
    const { is_open: isOpen, opens_at: opensAt, now } = await response.json();
    if (isOpen) return true;
    this.#tell("");
    this.#learn(opensAt, now);
    this.#timer = setInterval(() => this.#show(), SECOND);
    return false;
  }

  async #answer() {
    const { signal } = deadline(ANSWER_TIMEOUT);
    const headers = { accept: "application/json" };
    const asking = fetch(this.#element.dataset.opening, { headers, signal });
    const response = await asking.catch(() => {
      throw new Interruption();
    });
    if (response.status >= 500 || response.status === 429) throw new Interruption();
    return response;
  }

  #tell(text) {
    const told = this.#element.querySelector("[data-opening-told]");
    if (told.textContent !== text) told.textContent = text;
  }

  #say(text) {
    this.#element.querySelector("[data-opening-said]").textContent = text;
  }
}
