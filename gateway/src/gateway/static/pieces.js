// The lists of pieces: filtered as one types, and kept true while a file is analysed. Without this
// script the search is a form and the page has a link to load it again.
import { _, ngettext } from "./texts.js";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;
const SLOWER = 1.5;
const FOLLOWED_FOR = 10 * 60_000;

/** Take over the lists of the page, where it has any. */
export function followPieces() {
  const part = document.querySelector("[data-pieces]");
  if (!part) return;
  const filter = makeFilter(part);
  new Analysis(part, filter).follow();
}

function say(text) {
  document.querySelector("[data-pieces-voice]").textContent = text;
}

// Searching

function makeFilter(part) {
  const form = document.querySelector("[data-pieces-search]");
  const input = form.querySelector("input");
  // A list that the server has filtered lacks the other rows: the form stays its own.
  if (input.defaultValue) return () => {};

  const none = document.querySelector("[data-pieces-none]");
  function filter() {
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const table of part.querySelectorAll("table")) {
      const rows = [...table.tBodies[0].rows];
      for (const row of rows) row.hidden = !words.every((word) => searched(row).includes(word));
      const shown = rows.filter((row) => !row.hidden).length;
      table.hidden = shown === 0;
      count += shown;
    }
    none.hidden = count > 0;
    return count;
  }

  form.querySelector("button").hidden = true;
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", () => {
    const count = filter();
    say(count === 0 ? none.textContent : ngettext("%(num)s pièce", "%(num)s pièces", count));
  });
  return filter;
}

function searched(row) {
  const files = [...row.querySelectorAll(".rentree-reference")];
  return plain([row.cells[0], ...files].map((element) => element.textContent).join(" "));
}

function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

// Waiting for an analysis

class Analysis {
  #part;
  #filter;
  #pause = FIRST_PAUSE;
  #until = Date.now() + FOLLOWED_FOR;
  #timer = null;

  constructor(part, filter) {
    this.#part = part;
    this.#filter = filter;
  }

  follow() {
    document.addEventListener("visibilitychange", () => this.#later());
    this.#later();
  }

  /** Ask again after a pause, longer each time, while somebody may look and something may change. */
  #later() {
    clearTimeout(this.#timer);
    const isAnalysing = this.#part.querySelector("[data-state=analysing]");
    if (!isAnalysing || document.hidden || Date.now() > this.#until) return;
    this.#timer = setTimeout(() => this.#look(), this.#pause);
    this.#pause = Math.min(this.#pause * SLOWER, LONGEST_PAUSE);
  }

  async #look() {
    try {
      if (this.#hasChanged(await fetched(this.#part.dataset.statesUrl, "json"))) await this.#renew();
    } catch {
      // Unreachable for a moment: what is shown was true, and it is asked again.
    }
    this.#later();
  }

  #hasChanged(states) {
    return [...this.#part.querySelectorAll("[data-piece]")].some(
      ({ dataset }) => dataset.state !== (states[dataset.piece] ?? ""),
    );
  }

  /** Show the lists as the server now writes them, and say what has changed. */
  async #renew() {
    const page = new DOMParser().parseFromString(
      await fetched(window.location.href, "text"),
      "text/html",
    );
    const renewed = page.querySelector("[data-pieces]");
    // Without them for a moment: what is shown was true.
    if (!renewed) return;
    const before = statesIn(this.#part);
    const focused = this.#part.contains(document.activeElement) && document.activeElement.href;
    this.#part.replaceChildren(...renewed.childNodes);
    const missing = page.querySelector("[data-pieces-missing]");
    if (missing) document.querySelector("[data-pieces-missing]")?.replaceWith(missing);
    this.#filter();
    if (focused) [...this.#part.querySelectorAll("a")].find((a) => a.href === focused)?.focus();
    const changes = [...this.#part.querySelectorAll("[data-piece]")].filter(
      ({ dataset }) => before.get(dataset.piece) !== dataset.state,
    );
    say(changes.map((piece) => _("%(subject)s : %(text)s", { subject: words(piece), text: stateBeside(piece) })).join(" ; "));
    this.#pause = FIRST_PAUSE;
  }
}

function statesIn(part) {
  const pieces = [...part.querySelectorAll("[data-piece]")];
  return new Map(pieces.map(({ dataset }) => [dataset.piece, dataset.state]));
}

function stateBeside(piece) {
  return words(piece.closest("tr").querySelector("[data-piece-state]"));
}

function words(element) {
  return element.textContent.trim().replace(/\s+/g, " ");
}

async function fetched(url, kind) {
  const accept = kind === "json" ? "application/json" : "text/html";
  const response = await fetch(url, { headers: { accept } });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return await response[kind]();
}
