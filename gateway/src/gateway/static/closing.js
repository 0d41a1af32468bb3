// The last minutes of a campaign, said in the page while one types: seen, and heard once a minute.
// Without this script the page says it where it was opened within them.

import { MINUTE, SECOND, minutes } from "./duration.js";

const SAID_WITHIN = 10 * MINUTE;

/** Show how long is left once it is little. */
export function warnOfClosing() {
  const element = document.querySelector("[data-closes-at]");
  if (!element) return;
  // A family's clock may be wrong: the page carries the server's.
  const clockError = Date.now() - Date.parse(element.dataset.now);
  const closesAt = Date.parse(element.dataset.closesAt) + clockError;
  const shown = element.querySelector("[data-closing-left]");

  function show() {
    const left = closesAt - Date.now();
    if (left > SAID_WITHIN || left <= 0) return;
    const text = minutes(left);
    if (shown.textContent !== text) shown.textContent = text;
    element.hidden = false;
  }

  show();
  setInterval(show, 5 * SECOND);
}
