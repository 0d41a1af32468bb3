// The form of a piece's file: what was chosen is made fit to be sent, then goes straight to the
// store, its progress shown. Without this script the same form is posted to the gateway.
import { prepare } from "./photos.js";
import { Interruption, Refusal, SignedOut } from "./refusal.js";
import { sendToStore, UNAVAILABLE } from "./sending.js";
import { _ } from "./texts.js";

const SAID_EVERY = 25;

/** Take over every form that has `data-upload`. */
export function sendFilesToStore() {
  for (const element of document.querySelectorAll("form[data-upload]")) new UploadForm(element);
}

class UploadForm {
  #form;
  #input;
  #chooser;
  #button;
  #progress;
  #status;
  #files = null;
  #prepared = null;

  constructor(form) {
    this.#form = form;
    this.#input = form.querySelector("input[type=file]");
    // The button that the design system puts in the place of the field.
    this.#chooser = form.querySelector(".govuk-file-upload-button") ?? this.#input;
    this.#button = form.querySelector("button[type=submit], button:not([type])");
    this.#progress = form.querySelector("[data-upload-progress]");
    this.#status = form.querySelector("[data-upload-status]");
    this.#input.multiple = true;
    form.querySelector("[data-upload-abilities]").hidden = false;
    this.#input.addEventListener("change", () => this.#choose());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!form.hasAttribute("aria-busy")) this.#submit();
    });
    // Coming back by the browser's own button shows the page as it was left: ready to send another.
    window.addEventListener("pageshow", ({ persisted }) => {
      if (persisted) this.#release();
    });
  }

  /** Prepare what was just chosen, so that the family knows before sending it. */
  async #choose() {
    this.#clearError();
    this.#say("");
    this.#files = this.#prepared = null;
    if (this.#input.files.length === 0) return;
    const preparing = this.#prepare();
    try {
      const { told } = await preparing;
      if (preparing === this.#prepared) this.#say(told);
    } catch (error) {
      // Another choice made meanwhile has its own answer.
      if (preparing !== this.#prepared) return;
      this.#prepared = null;
      this.#refuse(error);
    }
  }

  #prepare() {
    const maxBytes = Number(this.#form.dataset.maxBytes);
    const files = [...this.#input.files];
    this.#files = files;
    this.#prepared = prepare(files, maxBytes, (text) => {
      if (this.#files === files) this.#say(text);
    });
    return this.#prepared;
  }

  async #submit() {
    this.#clearError();
    this.#form.setAttribute("aria-busy", "true");
    this.#mayChoose(false);
    try {
      const { file } = await (this.#prepared ?? this.#prepare());
      const next = await this.#send(file);
      this.#say(_("Le fichier est arrivé."));
      window.location.assign(next);
    } catch (error) {
      this.#release();
      this.#refuse(error);
    }
  }

  async #send(file) {
    this.#show(0);
    const { ticketUrl, registeredUrl, maxBytes } = this.#form.dataset;
    const token = this.#form.elements.namedItem("_csrf_token").value;
    const limit = Number(maxBytes);
    return await sendToStore(file, { ticketUrl, registeredUrl, token, maxBytes: limit }, {
      onProgress: (percentage) => this.#show(percentage),
      onPause: (number, count) =>
        this.#say(
          _("La connexion a été coupée : nouvel essai dans un instant (%(number)s sur %(count)s).", {
            number,
            count,
          }),
        ),
    });
  }

  #release() {
    this.#form.removeAttribute("aria-busy");
    this.#mayChoose(true);
    this.#progress.hidden = true;
    this.#say("");
  }

  /** What is on its way is what the page shows as chosen. */
  #mayChoose(may) {
    for (const control of [this.#input, this.#chooser]) control.disabled = !may;
  }

  #show(percentage) {
    const isFirst = this.#progress.hidden || percentage === 0;
    const isNext =
      Math.floor(percentage / SAID_EVERY) !== Math.floor(this.#progress.value / SAID_EVERY);
    this.#progress.hidden = false;
    this.#progress.value = percentage;
    // Said aloud at each quarter, not at every packet.
    if (isFirst || isNext) this.#say(_("Envoi du fichier : %(percentage)s %%", { percentage }));
  }

  #say(text) {
    this.#status.textContent = text;
  }

  #refuse(error) {
    // Anything but a refusal is a fault of ours: the family is told, the console has the rest.
    if (!(error instanceof Refusal)) console.error(error);
    this.#say("");
    this.#clearError();
    const shown = this.#showError(error instanceof Refusal ? error.message : UNAVAILABLE);
    if (error instanceof SignedOut) shown.append(" ", signInLink());
    if (error instanceof Interruption || error instanceof SignedOut) {
      this.#button.textContent = _("Réessayer l'envoi");
    }
  }

  #showError(text) {
    const group = this.#group;
    const error = document.createElement("p");
    error.id = `${this.#input.id}-refusal`;
    error.className = "govuk-error-message";
    error.setAttribute("role", "alert");
    const prefix = document.createElement("span");
    prefix.className = "govuk-visually-hidden";
    prefix.textContent = _("Erreur : ");
    error.append(prefix, text);
    group.classList.add("govuk-form-group--error");
    group.querySelector(".govuk-file-upload-wrapper, input[type=file]").before(error);
    this.#chooser.setAttribute("aria-describedby", `${this.#hint.id} ${error.id}`);
    this.#chooser.focus();
    return error;
  }

  /** Forget what was wrong with another file, be it said here or by the server. */
  #clearError() {
    this.#group.classList.remove("govuk-form-group--error");
    for (const error of this.#group.querySelectorAll(".govuk-error-message")) error.remove();
    this.#chooser.setAttribute("aria-describedby", this.#hint.id);
    document.querySelector(".govuk-error-summary")?.remove();
    this.#button.textContent = _("Importer");
  }

  get #group() {
    return this.#input.closest(".govuk-form-group");
  }

  get #hint() {
    return this.#group.querySelector(".govuk-hint");
  }
}

function signInLink() {
  const link = document.createElement("a");
  link.className = "govuk-link";
  link.href = "/connexion";
  link.target = "_blank";
  link.textContent = _("Me reconnecter (nouvel onglet)");
  return link;
}
