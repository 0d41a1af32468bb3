// Patience with an answer. AbortSignal.timeout says it in a word, to browsers of after 2022.

/** Give a controller that aborts by itself after so many milliseconds. */
export function deadline(milliseconds) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), milliseconds);
  return controller;
}
