// A document goes from the browser straight to the store, its progress shown; without this script
// the same form is posted to the gateway.

const SENDING_TIMEOUT = 120_000;
const ANSWER_TIMEOUT = 30_000;
const SAID_EVERY = 25;

const UNREACHABLE =
  "L'envoi a été interrompu. Vérifiez votre connexion, puis envoyez le fichier de nouveau.";
const UNAVAILABLE =
  "Le dépôt des pièces est momentanément indisponible. Réessayez dans quelques minutes.";

// What a store answers in XML, said to a family.
const STORE_REFUSALS = {
  EntityTooLarge: (limit) => `Le fichier est trop lourd : ${limit} au plus`,
  EntityTooSmall: () => "Le fichier est vide : choisissez-en un autre",
  AccessDenied: () => "Le délai d'envoi est écoulé : envoyez le fichier de nouveau",
  RequestTimeout: () => UNREACHABLE,
};

class Refusal extends Error {}

/** Take over every form that has `data-upload`. */
export function sendFilesToStore() {
  for (const form of document.querySelectorAll("form[data-upload]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!form.hasAttribute("aria-busy")) submit(form);
    });
  }
  // Coming back by the browser's own button shows the page as it was left: ready to send another.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) for (const form of document.querySelectorAll("form[data-upload]")) release(form);
  });
}

function release(form) {
  form.removeAttribute("aria-busy");
  form.querySelector("[data-upload-progress]").hidden = true;
}

async function submit(form) {
  const input = form.querySelector("input[type=file]");
  clearError(input);
  form.setAttribute("aria-busy", "true");
  try {
    const { next } = await send(form, chosenFile(form, input));
    say(form, "Le fichier est arrivé.");
    window.location.assign(next);
  } catch (error) {
    // Anything but a refusal is a fault of ours: the family is told, the console has the rest.
    if (!(error instanceof Refusal)) console.error(error);
    release(form);
    showError(input, error instanceof Refusal ? error.message : UNAVAILABLE);
  }
}

function chosenFile(form, input) {
  const file = input.files[0];
  if (!file) throw new Refusal("Choisissez un fichier");
  if (file.size === 0) throw new Refusal(STORE_REFUSALS.EntityTooSmall());
  const maxBytes = Number(form.dataset.maxBytes);
  if (file.size > maxBytes) {
    throw new Refusal(
      `Le fichier est trop lourd (${megabytes(file.size)}) : ${megabytes(maxBytes)} au plus`,
    );
  }
  return file;
}

async function send(form, file) {
  showProgress(form, 0);
  const ticket = await post(form, form.dataset.ticketUrl, {
    ...hiddenFields(form),
    filename: file.name,
    size: file.size,
    content_type: file.type,
  });
  await sendToStore(form, ticket, file);
  say(form, "Le fichier est envoyé, encore un instant.");
  return await post(form, form.dataset.registeredUrl, { document_id: ticket.document_id });
}

function csrfToken(form) {
  return form.elements.namedItem("_csrf_token").value;
}

function hiddenFields(form) {
  const fields = new FormData(form);
  fields.delete("_csrf_token");
  return Object.fromEntries([...fields].filter(([, value]) => typeof value === "string"));
}

async function post(form, url, content) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "x-csrf-token": csrfToken(form),
      },
      body: JSON.stringify(content),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT),
    });
  } catch {
    throw new Refusal(UNREACHABLE);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(answer.detail ?? UNAVAILABLE);
  return answer;
}

// XMLHttpRequest, because fetch does not tell how much has been sent.
function sendToStore(form, { url, fields }, file) {
  const content = new FormData();
  for (const [name, value] of Object.entries(fields)) content.append(name, value);
  content.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      showProgress(form, Math.floor((100 * loaded) / total));
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new Refusal(storeRefusal(request.responseText, Number(form.dataset.maxBytes))));
    });
    for (const lost of ["error", "timeout"]) {
      request.addEventListener(lost, () => reject(new Refusal(UNREACHABLE)));
    }
    request.timeout = SENDING_TIMEOUT;
    request.open("POST", url);
    request.send(content);
  });
}

function storeRefusal(xml, maxBytes) {
  const code = /<Code>(\w+)<\/Code>/.exec(xml)?.[1];
  return STORE_REFUSALS[code]?.(megabytes(maxBytes)) ?? UNAVAILABLE;
}

// Rounded up as the server does: a file just over the limit never reads as the limit itself.
function megabytes(bytes) {
  const size = Math.ceil((10 * bytes) / 1024 ** 2) / 10;
  return `${size.toLocaleString("fr-FR")}\u00a0Mo`;
}

function showProgress(form, percentage) {
  form.querySelector("[data-upload-progress]").hidden = false;
  const progress = form.querySelector("progress");
  const isNext = Math.floor(percentage / SAID_EVERY) !== Math.floor(progress.value / SAID_EVERY);
  progress.value = percentage;
  // Said aloud at each quarter, not at every packet.
  if (percentage === 0 || isNext) say(form, `Envoi du fichier : ${percentage} %`);
}

function say(form, text) {
  form.querySelector("[data-upload-status]").textContent = text;
}

function showError(input, text) {
  const group = input.closest(".govuk-form-group");
  const target = group.querySelector(".govuk-file-upload-button") ?? input;
  const error = document.createElement("p");
  error.id = `${target.id}-error`;
  error.className = "govuk-error-message";
  error.setAttribute("role", "alert");
  const prefix = document.createElement("span");
  prefix.className = "govuk-visually-hidden";
  prefix.textContent = "Erreur : ";
  error.append(prefix, text);
  group.classList.add("govuk-form-group--error");
  group.querySelector(".govuk-file-upload-wrapper, input[type=file]").before(error);
  target.setAttribute("aria-describedby", `${target.id}-hint ${error.id}`);
  target.focus();
}

function clearError(input) {
  const group = input.closest(".govuk-form-group");
  group.classList.remove("govuk-form-group--error");
  group.querySelector(".govuk-error-message")?.remove();
}
