// The way of a file from the browser straight to the store: a ticket, the sending, then word that it
// has arrived. Each is tried again when the network fails; repeating any of them is harmless.
import { deadline } from "./deadline.js";
import { Interruption, megabytes, Refusal, SignedOut } from "./refusal.js";
import { _ } from "./texts.js";

const STALLED_AFTER = 60_000;
const ANSWER_TIMEOUT = 30_000;
const PAUSES = [1000, 2000, 4000, 8000];
const OFFLINE_PATIENCE = 30_000;

const UNREACHABLE = _(
  "L'envoi a été interrompu : vérifiez votre connexion. Votre fichier est gardé ici.",
);
const SIGNED_OUT = _(
  "Votre session a expiré. Reconnectez-vous dans un autre onglet, puis revenez ici : votre fichier est gardé.",
);
/** What is said of a failure that is nobody's choice of file. */
export const UNAVAILABLE = _(
  "Le dépôt des pièces est momentanément indisponible. Réessayez dans quelques minutes.",
);

// What a store answers in XML, said to a family.
const STORE_REFUSALS = {
  EntityTooLarge: (limit) => _("Le fichier est trop lourd : %(limit)s au plus", { limit }),
  EntityTooSmall: () => _("Le fichier est vide : choisissez-en un autre"),
  AccessDenied: () => _("Le délai d'envoi est écoulé : envoyez le fichier de nouveau"),
};

/**
 * Send a file; give the address where to go next.
 *
 * `onProgress` is told the percentage sent, `onPause` that another try follows.
 */
export async function sendToStore(file, { ticketUrl, registeredUrl, token, maxBytes }, told) {
  const again = (act) => persist(act, told.onPause);
  const announced = { filename: file.name, size: file.size };
  const ticket = await again(() => post(ticketUrl, token, announced));
  await again(() => upload(ticket, file, maxBytes, told.onProgress));
  const arrived = { document_id: ticket.document_id };
  const { next } = await again(() => post(registeredUrl, token, arrived));
  return next;
}

async function persist(act, onPause) {
  for (const [index, pause] of PAUSES.entries()) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Interruption)) throw error;
      onPause(index + 1, PAUSES.length);
      await passed(pause);
    }
  }
  return await act();
}

async function passed(pause) {
  await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
  if (navigator.onLine) return;
  // Known to be off line: no try is wasted before it is back, or may be.
  await new Promise((resolve) => {
    window.addEventListener("online", resolve, { once: true });
    setTimeout(resolve, OFFLINE_PATIENCE);
  });
}

async function post(url, token, content) {
  const { signal } = deadline(ANSWER_TIMEOUT);
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "x-csrf-token": token,
      },
      body: JSON.stringify(content),
      signal,
    });
  } catch {
    throw new Interruption(UNREACHABLE);
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401) throw new SignedOut(SIGNED_OUT);
  if (response.status >= 500) throw new Interruption(answer.detail ?? UNAVAILABLE);
  throw new Refusal(answer.detail ?? UNAVAILABLE);
}

// XMLHttpRequest, because fetch does not tell how much has been sent.
function upload({ url, fields }, file, maxBytes, onProgress) {
  const content = new FormData();
  for (const [name, value] of Object.entries(fields)) content.append(name, value);
  content.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    // A slow network is waited for as long as it carries something.
    let stalled;
    const goesOn = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALLED_AFTER);
    };
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      goesOn();
      onProgress(Math.floor((100 * loaded) / total));
    });
    request.addEventListener("loadend", () => clearTimeout(stalled));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else if (request.status >= 500) reject(new Interruption(UNAVAILABLE));
      else reject(new Refusal(storeRefusal(request.responseText, maxBytes)));
    });
    for (const lost of ["error", "abort"]) {
      request.addEventListener(lost, () => reject(new Interruption(UNREACHABLE)));
    }
    request.open("POST", url);
    goesOn();
    request.send(content);
  });
}

function storeRefusal(xml, maxBytes) {
  const code = /<Code>(\w+)<\/Code>/.exec(xml)?.[1];
  return STORE_REFUSALS[code]?.(megabytes(maxBytes)) ?? UNAVAILABLE;
}
