// The texts of the scripts, in the page's language. They are written in French: a page in another
// language carries their translations.

const translations = JSON.parse(document.querySelector("#texts")?.textContent ?? "{}");
const isFrench = document.documentElement.lang === "fr";
const plural = new Intl.PluralRules(document.documentElement.lang);

/** Say a text; its values are named, as in `%(name)s`. */
export function _(text, values = {}) {
  return filled(translations[text] ?? text, values);
}

/** Say the text that fits a number, which is its value `num`. */
export function ngettext(one, several, number, values = {}) {
  const forms = translations[one] ?? [one, several];
  const text = forms[plural.select(number) === "one" ? 0 : 1];
  return filled(text, { num: number, ...values });
}

function filled(text, values) {
  // The marks that French sets apart stay on the line of what they end.
  const typeset = isFrench ? text.replace(/ (?=[:;?!»])/g, "\u00a0") : text;
  return typeset.replace(/%\((\w+)\)s|%%/g, (place, name) => (name ? values[name] : "%"));
}
