// The time left of a held place: seen at every moment, said aloud every five minutes and at the end.

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Count down beside every element that has `data-expires-at`. */
export function countDownHolds() {
  for (const element of document.querySelectorAll("[data-expires-at]")) countDown(element);
}

function countDown(element) {
  const shown = element.querySelector("[data-remaining]");
  const expiresAt = Date.parse(element.dataset.expiresAt);
  if (!shown || Number.isNaN(expiresAt)) return;
  // A family's clock may be wrong: the page carries the server's.
  const servedAt = Date.parse(element.dataset.now);
  const clockError = Number.isNaN(servedAt) ? 0 : Date.now() - servedAt;
  const announcer = addAnnouncer(element);
  let announced = null;

  function show() {
    const left = expiresAt + clockError - Date.now();
    if (left <= 0) {
      clearInterval(timer);
      shown.textContent = " : ce délai est écoulé. Choisissez de nouveau un créneau";
      announcer.textContent = "Votre place n'est plus retenue. Choisissez de nouveau un créneau.";
      return;
    }
    shown.textContent = `, encore ${duration(left)}`;
    const moment = left <= MINUTE ? "last minute" : Math.ceil(left / (5 * MINUTE));
    if (announced !== null && moment !== announced) {
      announcer.textContent = `Votre place est retenue encore ${duration(left)}.`;
    }
    announced = moment;
  }

  const timer = setInterval(show, SECOND);
  show();
}

function duration(milliseconds) {
  const [count, unit] =
    milliseconds <= MINUTE
      ? [Math.ceil(milliseconds / SECOND), "seconde"]
      : [Math.ceil(milliseconds / MINUTE), "minute"];
  return `${count} ${unit}${count > 1 ? "s" : ""}`;
}

function addAnnouncer(element) {
  const announcer = document.createElement("span");
  announcer.className = "govuk-visually-hidden";
  announcer.setAttribute("aria-live", "polite");
  element.append(announcer);
  return announcer;
}
