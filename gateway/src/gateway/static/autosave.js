// What is typed is kept on leaving a field, so that nothing is lost with the page.

import { deadline } from "./deadline.js";

const PAUSES = [2_000, 4_000, 8_000, 16_000, 32_000, 60_000];
const ANSWER_TIMEOUT = 15_000;
/** A failure that lasts is told; a shorter one is nobody's business. */
const TOLD_FROM = 2;

/** Keep the forms that ask for it, each by its own status line. */
export function keepTyped() {
  for (const status of document.querySelectorAll("[data-autosave]")) {
    new Keeper(status.closest("form"), status);
  }
}

class Keeper {
  #form;
  #status;
  #position = 0;
  #typedAt = null;
  #isSending = false;
  #failures = 0;
  #retry = null;
  #sending = null;

  constructor(form, status) {
    this.#form = form;
    this.#status = status;
    form.addEventListener("input", () => {
      this.#typedAt = performance.now();
    });
    form.addEventListener("change", () => {
      this.#typedAt = performance.now();
      this.#keep();
    });
    // The step itself records what it is sent: a late saving would bring it back as a draft.
    form.addEventListener("submit", (event) => {
      if (!event.defaultPrevented) this.#stop();
    });
    window.addEventListener("online", () => this.#keep());
    // Half a word too, where the person leaves for another page or another application.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#keep();
    });
  }

  #stop() {
    clearTimeout(this.#retry);
    this.#typedAt = null;
    this.#sending?.abort();
  }

  async #keep() {
    clearTimeout(this.#retry);
    if (this.#typedAt === null || this.#isSending) return;
    // Typed while the form is on its way: kept if the page stays after all.
    if (this.#form.dataset.sent) {
      this.#retry = setTimeout(() => this.#keep(), PAUSES[0]);
      return;
    }
    const typedAt = this.#typedAt;
    this.#isSending = true;
    const answer = await this.#send(typedAt);
    this.#isSending = false;
    // The form itself was sent meanwhile.
    if (this.#typedAt === null) return;
    if (answer.again) {
      this.#failures += 1;
      if (!navigator.onLine) this.#say(this.#status.dataset.autosaveOffline);
      else if (this.#failures >= TOLD_FROM) this.#say(this.#status.dataset.autosaveLate);
      const pause = PAUSES[Math.min(this.#failures, PAUSES.length) - 1];
      this.#retry = setTimeout(() => this.#keep(), pause * (0.75 + Math.random() / 2));
      return;
    }
    this.#failures = 0;
    this.#say(answer.text);
    if (this.#typedAt === typedAt) this.#typedAt = null;
    // Something else was typed meanwhile.
    else this.#keep();
  }

  /** Send the whole form; give what to say, or that it is to be tried again. */
  async #send(typedAt) {
    this.#position += 1;
    this.#sending = deadline(ANSWER_TIMEOUT);
    try {
      const response = await fetch(this.#status.dataset.autosave, {
        method: "POST",
        headers: {
          accept: "application/json",
          "x-position": String(this.#position),
          // An age rather than an instant: nobody's clock is trusted.
          "x-age-milliseconds": String(Math.round(performance.now() - typedAt)),
        },
        body: new URLSearchParams(new FormData(this.#form)),
        keepalive: true,
        signal: this.#sending.signal,
      });
      if (response.status >= 500 || response.status === 429) return { again: true };
      if (response.status === 401) return { text: this.#status.dataset.autosaveSignedOut };
      const answer = await response.json();
      return { text: answer.text ?? answer.detail };
    } catch {
      return { again: true };
    }
  }

  #say(text) {
    // Said again only when it is something else: a reader is not told each field twice.
    if (text && this.#status.textContent !== text) this.#status.textContent = text;
  }
}
