// The last minutes of a campaign, said in the page while one types: seen, and heard once a minute.
// Without this script the page says it where it was opened within them.

import { MINUTE, SECOND, minutes } from "./duration.js";

const SAID_WITHIN = 10 * MINUTE;

/** Show how long is left once it is little, then that nothing is. */
export function warnOfClosing() {
  const element = document.querySelector("[data-closes-at]");
  if (!element) return;
  // A family's clock may be wrong: the page carries the server's.
  const clockError = Date.now() - Date.parse(element.dataset.now);
  const closesAt = Date.parse(element.dataset.closesAt) + clockError;
  const timer = setInterval(show, 5 * SECOND);
  show();

  function show() {
    const left = closesAt - Date.now();
    if (left > SAID_WITHIN) return;
    const unsaid = element.querySelector("template");
    if (unsaid) unsaid.replaceWith(unsaid.content);
    if (left > 0) {
      write(element.querySelector("[data-closing-left]"), minutes(left));
      return;
    }
    write(element.querySelector("p"), element.dataset.closed);
    clearInterval(timer);
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
