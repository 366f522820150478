// The panel with the schema: types and fields that match a search; a field that is selected is inserted in the document.
import { ask } from "./api.js";

const MOST = 60;
const panel = document.getElementById("types");
const search = document.getElementById("search");
const field = document.querySelector('[name="document"]');

const named = (type) => (type.ofType ? named(type.ofType) : type);

function written(type) {
  if (type.kind === "NON_NULL") return `${written(type.ofType)}!`;
  return type.kind === "LIST" ? `[${written(type.ofType)}]` : type.name;
}

function element(name, text, ...children) {
  const made = document.createElement(name);
  made.append(...(text ? [text] : []), ...children);
  return made;
}

function insert(of) {
  const required = (of.args ?? []).filter((each) => each.type.kind === "NON_NULL").map((each) => `${each.name}: `);
  const inner = ["OBJECT", "INTERFACE", "UNION"].includes(named(of.type).kind) ? " {  }" : "";
  const text = `${of.name}${required.length ? `(${required.join(", ")})` : ""}${of.args ? inner : ": "}`;
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.focus();
}

function fieldItem(of) {
  const button = element("button", of.name);
  button.type = "button";
  button.addEventListener("click", () => insert(of));
  const given = (of.args ?? []).map((each) => `${each.name}: ${written(each.type)}`).join(", ");
  const item = element("li", "", button, `${given ? `(${given})` : ""}: ${written(of.type)}`);
  if (of.description) item.append(element("p", of.description));
  return item;
}

const partsOf = (type) => type.fields ?? type.inputFields ?? [];

function typeItem(type, wanted) {
  const parts = partsOf(type);
  const byName = type.name.toLowerCase().includes(wanted);
  const found = wanted && !byName ? parts.filter((each) => each.name.toLowerCase().includes(wanted)) : parts;
  if (!byName && !found.length) return null;
  const details = element("details", "", element("summary", `${type.name} (${type.kind.toLowerCase().replaceAll("_", " ")})`));
  details.open = wanted ? true : ["Query", "Mutation"].includes(type.name);
  if (type.description) details.append(element("p", type.description));
  details.append(element("ul", "", ...found.map(fieldItem)));
  if (type.enumValues) details.append(element("p", type.enumValues.map((each) => each.name).join(", ")));
  return details;
}

function show(types) {
  const wanted = search.value.trim().toLowerCase();
  const found = types.map((type) => typeItem(type, wanted)).filter(Boolean);
  const more = found.length > MOST ? [element("p", `and ${found.length - MOST} more types`)] : [];
  panel.replaceChildren(...(found.length ? found.slice(0, MOST) : [element("p", "Nothing has this name.")]), ...more);
}

async function load() {
  const response = await ask("/_emulator/schema");
  if (!response.ok) return;
  const { data } = await response.json();
  const first = (type) => (type.name === "Query" ? 0 : type.name === "Mutation" ? 1 : 2);
  const types = data.__schema.types.filter((type) => !type.name.startsWith("__")).sort((a, b) => first(a) - first(b));
  show(types);
  search.addEventListener("input", () => show(types));
}

load().catch(() => {});
