// Elements with text only: what comes from data is never read as HTML.

// Attributes that are true have no value; those that are false, null or undefined are left out; functions are listeners.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

// `choices` are pairs of a value and its words.
export function select(attributes, choices, chosen) {
  const options = choices.map(([value, words]) => element("option", { value, selected: value === chosen }, words));
  return element("select", attributes, ...options);
}

// A label that only screen readers need: what it says is beside the field.
export function quietly(words, field) {
  field.setAttribute("aria-label", words);
  return field;
}

export const button = (words, click, attributes = {}) => element("button", { type: "button", click, ...attributes }, words);
