// The fields of an action: what each is mapped to, as chips, a form and its value for the event.
import { button, element, quietly, select } from "./elements.js";
import { inWords, kindOf, pathOf, pointer, shortPath, staticOf } from "./mapping_values.js";

const KINDS = [["none", "Not mapped"], ["variable", "Event variables"], ["static", "Static values"], ["function", "Functions"]];
const MEMBERS = ["members", "Fields below"];

// `mapping()` and `put(mapping)` read and write the mapping without defaults; `choices` are those of dynamic fields.
export function mappingFields(rows, { mapping, put, choices, problem }) {
  const fields = [...rows].map((row) => ({
    row, path: row.dataset.path, keys: row.dataset.path.split("."), type: row.dataset.type, isList: "multiple" in row.dataset,
    isRequired: "required" in row.dataset, isDynamic: "dynamic" in row.dataset, choices: JSON.parse(row.dataset.choices), initial: JSON.parse(row.dataset.default),
  }));
  const initial = Object.fromEntries(fields.filter((each) => each.keys.length === 1).map((each) => [each.path, each.initial]));
  const top = (field) => { const own = mapping(); return field.keys[0] in own ? own[field.keys[0]] : initial[field.keys[0]]; };
  const inside = (value, keys) => keys.reduce((inner, key) => (kindOf(inner) === "members" ? inner[key] : undefined), value);
  const valueOf = (field) => inside(top(field), field.keys.slice(1));

  // Undefined removes what is mapped; null keeps a default from being used.
  function write(field, value) {
    const own = mapping();
    const [first, member] = field.keys;
    if (member === undefined) {
      if (value === undefined && initial[first] === null) delete own[first];
      else own[first] = value ?? null;
    } else {
      const members = kindOf(top(field)) === "members" ? { ...top(field) } : {};
      if (value === undefined) delete members[member];
      else members[member] = value;
      own[first] = members;
    }
    put(own);
  }

  function reset(field) {
    const own = mapping();
    if (field.keys.length === 1) delete own[field.keys[0]];
    else return write(field, inside(initial[field.keys[0]], field.keys.slice(1)));
    put(own);
  }

  const started = (kind, field) => ({
    none: undefined, variable: { "@path": "$." }, function: { "@if": { exists: { "@path": "$.userId" }, then: { "@path": "$.userId" } } }, members: {},
    static: field.type === "boolean" ? true : field.choices[0] ?? (field.isList ? [] : ""),
  })[kind];

  function written(field, text, control) {
    try {
      problem("");
      write(field, JSON.parse(text));
    } catch (error) {
      problem(`${field.path} is not JSON: ${error.message}. Write text in double quotes, such as "gold".`);
      control.focus();
    }
  }

  // A static value: from the list of choices where there is one.
  function staticField(field, value) {
    const listed = field.isDynamic ? choices[field.path] ?? [] : field.choices.map((each) => [each, each]);
    const kept = field.type === "boolean" ? (text) => text === "true" : (text) => text;
    const offered = field.type === "boolean" ? [["true", "true"], ["false", "false"]] : listed;
    const text = String(staticOf(value) ?? "");
    if (!offered.length) return element("input", { value: text, change: (event) => write(field, kept(event.target.value)) });
    const known = offered.some(([each]) => each === text);
    const all = known ? offered : [[text, text === "" ? "Choose …" : `${text} (not in the list)`], ...offered];
    return select({ change: (event) => write(field, kept(event.target.value)) }, all, text);
  }

  function control(field, value, kind) {
    if (kind === "variable") {
      return quietly("Event variable", element("input", { value: shortPath(value["@path"]), list: "event-paths", change: (event) => write(field, { "@path": pathOf(event.target.value.trim()) }) }));
    }
    if (kind === "static" && typeof staticOf(value) !== "object") return quietly("Static value", staticField(field, value));
    const area = element("textarea", { rows: 3, spellcheck: "false", change: (event) => written(field, event.target.value, event.target) });
    area.value = JSON.stringify(value);
    return element("details", {}, element("summary", {}, "Raw JSON"), quietly("JSON", area));
  }

  function source(field) {
    const value = valueOf(field);
    const kind = kindOf(value);
    // A choice that is required and not made has its list at once.
    const open = kind === "none" && field.isRequired && (field.isDynamic || field.choices.length);
    const kinds = field.type === "object" && !field.isList ? [...KINDS, MEMBERS] : KINDS;
    const chooser = select({ change: (event) => write(field, started(event.target.value, field)) }, kinds, kind);
    const changed = JSON.stringify(value ?? null) !== JSON.stringify(inside(initial[field.keys[0]], field.keys.slice(1)) ?? null);
    if (kind === "none" && !field.isRequired) {
      const add = button("+", () => { write(field, started("variable", field)); field.row.querySelector("input")?.focus(); }, { "aria-label": `Map ${field.path}` });
      return [add, changed ? button("Reset to default", () => reset(field)) : null];
    }
    return [
      element("code", { class: "chips" }, inWords(value)),
      quietly(`Source of ${field.path}`, chooser),
      open ? quietly("Static value", staticField(field, "")) : kind === "none" || kind === "members" ? null : control(field, value, kind),
      changed ? button(inside(initial[field.keys[0]], field.keys.slice(1)) == null ? "Clear" : "Reset to default", () => reset(field)) : null,
    ].filter(Boolean);
  }

  function preview(field, values) {
    const place = field.row.querySelector(".preview");
    const shown = values[pointer(field.path)];
    // The values of its members are beside them.
    if (kindOf(valueOf(field)) === "members" && field.type === "object" && !field.isList) return place.replaceChildren();
    const isEmpty = !shown || !("value" in shown) || shown.value === null || shown.value === "";
    place.className = isEmpty && field.isRequired ? "preview bad" : "preview";
    place.textContent = shown?.error ?? (!isEmpty ? `→ ${JSON.stringify(shown.value)}` : field.isRequired ? "Required, and this event has no value there: choose another event variable, or a static value." : valueOf(field) ? "This event has no value there." : "");
  }

  function show(values) {
    for (const field of fields) {
      const state = JSON.stringify([valueOf(field), initial[field.path], choices[field.path]]);
      if (state !== field.state) {
        const place = field.row.querySelector(".source");
        const at = [...place.querySelectorAll("select, input, button, textarea, summary")].indexOf(document.activeElement);
        place.replaceChildren(...source(field).filter(Boolean));
        if (at >= 0) [...place.querySelectorAll("select, input, button, textarea, summary")][at]?.focus();
        field.state = state;
      }
      preview(field, values);
    }
  }

  return { show };
}
