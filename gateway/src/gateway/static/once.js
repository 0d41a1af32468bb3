// A form sent twice by an impatient double click is sent once, and says that it is on its way.
import { _ } from "./texts.js";

const PATIENCE = 10_000;

/** Refuse to send a form again until the page is shown anew, or the sending seems lost. */
export function sendOnce() {
  const voice = emptyStatus();

  document.addEventListener("submit", (event) => {
    const form = event.target;
    // A script that took the form over says itself when it may be sent again.
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    // The button keeps its focus and its value in what is posted: both would go if it were disabled.
    form.dataset.sent = "true";
    event.submitter?.setAttribute("aria-disabled", "true");
    voice.textContent = _("Envoi en cours.");
    setTimeout(release, PATIENCE, form, voice);
  });

  // Coming back by the browser's own button shows the page as it was left.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) release(form, voice);
  });
}

function release(form, voice) {
  delete form.dataset.sent;
  voice.textContent = "";
  for (const button of form.querySelectorAll("button[aria-disabled]")) {
    button.removeAttribute("aria-disabled");
  }
}

/** Have the page hold a status that says nothing yet: one that came with its text goes unheard. */
function emptyStatus() {
  const voice = document.createElement("p");
  voice.className = "govuk-visually-hidden";
  voice.setAttribute("role", "status");
  voice.dataset.sending = "";
  document.body.append(voice);
  return voice;
}
