// The condition of an audience as rows of tests on traits beside its JSON, and a preview of what it would have.
import { ask, problemIn } from "./api.js";
import { requestOf } from "./requests.js";

const NO_VALUE = ["exists", "not_exists"];
const builder = document.getElementById("builder");
const preview = document.getElementById("preview");
const form = builder?.closest("form");
const json = form?.elements.condition;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const labelled = (text, field) => element("label", {}, `${text} `, field);

function select(options, value) {
  const made = element("select", {}, ...options.map((each) => element("option", { textContent: each })));
  made.value = value;
  return made;
}

// What rows can show: one test, or several of which all or any must hold.
function testsOf(condition) {
  const every = ["all", "any"].find((name) => Array.isArray(condition?.[name])) ?? "all";
  const tests = condition?.[every] ?? [condition];
  return tests.length && tests.every((each) => typeof each?.trait === "string") ? { every, tests } : null;
}

// `700` is a number, `"700"` and `gold` are text, as in JSON.
function valueIn(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textOf(value) {
  return typeof value === "string" && typeof valueIn(value) === "string" ? value : JSON.stringify(value ?? "");
}

function row(test) {
  const trait = element("input", { value: test.trait });
  const operator = select(builder.dataset.operators.split(" "), test.operator);
  const value = element("input", { value: "value" in test ? textOf(test.value) : "" });
  const field = labelled("Value", value);
  const remove = element("button", { type: "button", textContent: "Remove" });
  const made = element("p", { className: "bar" }, labelled("Trait", trait), labelled("Operator", operator), field, remove);
  const show = () => (field.hidden = NO_VALUE.includes(operator.value));
  operator.addEventListener("change", show);
  remove.addEventListener("click", () => { made.remove(); write(); });
  show();
  made.test = () => {
    const own = { trait: trait.value, operator: operator.value };
    return NO_VALUE.includes(operator.value) ? own : { ...own, value: valueIn(value.value) };
  };
  return made;
}

function write() {
  const tests = [...builder.querySelectorAll("p.bar")].filter((each) => each.test).map((each) => each.test());
  const every = builder.querySelector("select").value;
  json.value = JSON.stringify(tests.length === 1 ? tests[0] : { [every]: tests }, null, 2);
  show();
}

function build() {
  const found = testsOf(valueIn(json.value));
  builder.hidden = !found;
  if (!found) return;
  const add = element("button", { type: "button", textContent: "Add Condition" });
  const rows = found.tests.map(row);
  builder.replaceChildren(labelled("Match", select(["all", "any"], found.every)), ...rows, add);
  add.addEventListener("click", () => {
    add.before(row({ trait: "", operator: "exists" }));
    add.previousElementSibling.querySelector("input").focus();
  });
}

let last = 0;

async function show() {
  const number = ++last;
  await new Promise((resolve) => setTimeout(resolve, 250));
  if (number !== last) return;
  const text = await found().catch((error) => [error.message]);
  if (number === last) preview.replaceChildren(...text.map((each) => element("p", { textContent: each })));
}

// What has to be entered before the rows are a condition; null when they are one.
function missing() {
  for (const row of [...builder.querySelectorAll("p.bar")].filter((each) => each.test)) {
    const { trait, value } = row.test();
    if (!trait.trim()) return "Enter the trait that the condition looks at, such as total_spent.";
    if (value === "") return `Enter the value that ${trait} is compared with, such as 500 or gold.`;
  }
  return null;
}

async function found() {
  const wanted = builder.hidden ? null : missing();
  if (wanted) return [wanted];
  const { body } = requestOf(form);
  const tried = { key: "preview", id: "aud_preview", name: "Preview", condition: body.condition };
  const response = await ask("/_emulator/audiences/preview", { method: "POST", body: tried });
  const answer = await response.json();
  if (!response.ok) return [problemIn(answer)];
  const of = answer.complete ? "profiles" : "profiles that were looked at";
  const warning = answer.warnings.filter((each) => each.includes("email"));
  return [`To be in it, a profile has to meet this: ${answer.conditionText}.`, `${answer.size} of ${answer.profiles} ${of} meet it now.`, ...warning];
}

// As Segment derives them from the name, until they are edited.
function derive() {
  const key = form.elements.name.value.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_|_$/g, "");
  const values = { key, id: `aud_${key}` };
  for (const [name, value] of Object.entries(values)) if (!form.elements[name].dataset.edited) form.elements[name].value = value;
}

if (form) {
  if (form.elements.key.type !== "hidden") {
    form.elements.name.addEventListener("input", derive);
    for (const name of ["key", "id"]) form.elements[name].addEventListener("input", (event) => (event.target.dataset.edited = "on"));
  }
  build();
  show();
  builder.addEventListener("input", write);
  json.addEventListener("input", () => { build(); show(); });
}
