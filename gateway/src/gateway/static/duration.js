// How long is left, in words of the page's language.

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The two largest units: 2 heures 5 minutes. */
export function duration(milliseconds) {
  const whole = Math.ceil(milliseconds / SECOND) * SECOND;
  const parts = [
    ["day", Math.floor(whole / DAY)],
    ["hour", Math.floor((whole % DAY) / HOUR)],
    ["minute", Math.floor((whole % HOUR) / MINUTE)],
    ["second", (whole % MINUTE) / SECOND],
  ];
  const first = parts.findIndex(([, count]) => count > 0);
  if (first < 0) return inUnit("second", 0);
  return parts
    .slice(first, first + 2)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => inUnit(unit, count))
    .join(" ");
}

/** Whole minutes, never more than there is but for the last one: 5 minutes. */
export function minutes(milliseconds) {
  return inUnit("minute", Math.max(1, Math.floor(milliseconds / MINUTE)));
}

function inUnit(unit, count) {
  const language = document.documentElement.lang;
  const text = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" });
  // a figure and its unit stay on one line
  return text.format(count).replace(" ", "\u00a0");
}
