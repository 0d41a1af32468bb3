// What cannot be done, in the words that a family is told.
import { _ } from "./texts.js";

/** A reason to choose another file, or to wait. */
export class Refusal extends Error {}

/** Something that may succeed if it is tried again. */
export class Interruption extends Refusal {}

/** The session has ended: the file may be sent once the person has signed in, elsewhere. */
export class SignedOut extends Refusal {}

// Rounded up as the server does: a file just over the limit never reads as the limit itself.
export function megabytes(bytes) {
  const size = Math.ceil((10 * bytes) / 1024 ** 2) / 10;
  const written = size.toLocaleString(document.documentElement.lang);
  return _("%(megabytes)s\u00a0Mo", { megabytes: written });
}
