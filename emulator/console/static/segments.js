// The rule of a segment: several conditions or JSON, the values that are known, and who would be in it while it is typed.
import { ask, problemIn } from "./api.js";
import { requestOf } from "./requests.js";

const PAUSE = 250;
const rule = document.getElementById("rule");
const form = rule?.closest("form");
const conditions = () => [...rule.querySelectorAll(".condition")];
const advertiser = () => form.elements.advertiserId?.value ?? rule.dataset.advertiser;
const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

// The names of the fields are their places in the rule: below `all` or `any` when there are several.
function rename() {
  const all = conditions();
  const match = rule.querySelector("[data-match]").value;
  rule.querySelector("#match").hidden = all.length < 2;
  all.forEach((each, index) => {
    const place = all.length < 2 ? "rule" : `rule/${match}/[${index}]`;
    for (const field of each.querySelectorAll("[name]")) field.name = `${place}/${field.name.split("/").pop()}`;
    each.querySelector("[data-remove]").hidden = all.length < 2;
    each.querySelector("input").disabled = each.querySelectorAll("select")[1].selectedOptions[0]?.dataset.value === "none";
  });
}

function add() {
  const copy = conditions().at(-1).cloneNode(true);
  copy.querySelector("input").value = "";
  rule.querySelector("#add").previousElementSibling.before(copy);
  rename();
  copy.querySelector("select").focus();
}

const bodyOf = () => ({ advertiserId: advertiser(), rule: requestOf(form).body?.rule });

// Whether there is something to ask about.
function isComplete() {
  if (rule.querySelector("#json").open) return rule.querySelector("textarea").value.trim() !== "";
  const fields = [...rule.querySelectorAll(".condition [name]")];
  return fields.every((field) => field.disabled || field.value);
}

function inJSON() {
  const { open } = rule.querySelector("#json");
  const text = rule.querySelector("textarea");
  if (open && !text.value) text.value = JSON.stringify(bodyOf().rule ?? {}, null, 2);
  text.disabled = !open;
  for (const each of conditions()) each.disabled = open;
  rule.querySelector("#add").disabled = open;
}

// A button that takes the value that was probably meant.
function correction({ place, nearest }) {
  const [, index = 0] = /\[(\d+)\]/.exec(place) ?? [];
  const button = element("button", `Did you mean ${nearest}?`);
  button.type = "button";
  button.addEventListener("click", () => {
    conditions()[index].querySelector("input").value = nearest;
    preview();
  });
  return button;
}

let asked = 0;
async function preview() {
  const number = ++asked;
  const shown = rule.querySelector("#preview");
  let found;
  try {
    if (!isComplete()) return shown.replaceChildren();
    const response = await ask("/_emulator/segments/preview", { method: "POST", body: bodyOf() });
    found = await response.json();
    if (!response.ok) throw new Error(problemIn(found));
  } catch (error) {
    if (number === asked) shown.replaceChildren(element("p", error.message));
    return;
  }
  if (number !== asked) return;
  const size = element("p", `${found.size} ${found.size === 1 ? "profile" : "profiles"}`);
  size.className = found.size ? "good" : "bad";
  const members = rule.dataset.masked ? [] : found.members.map((email) => element("li", email));
  const list = document.createElement("ul");
  list.append(...members);
  const usable = rule.querySelector("#json").open ? [] : found.unknownValues.filter((each) => each.nearest);
  shown.replaceChildren(size, list, ...found.warnings.map((each) => element("p", `Warning: ${each}`)), ...usable.map(correction));
}

async function suggest(field) {
  const query = new URLSearchParams({ advertiserId: advertiser(), field });
  const response = await ask(`/_emulator/segments/values?${query}`);
  if (!response.ok) return;
  const options = (await response.json()).values.map((value) => Object.assign(document.createElement("option"), { value }));
  rule.querySelector("#known").replaceChildren(...options);
}

function start() {
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(preview, PAUSE);
  };
  form.addEventListener("input", (event) => {
    rename();
    if (event.target.name !== "name") soon();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "advertiserId") suggest(form.querySelector("[name$='/field']").value);
    if (event.target.name?.endsWith("/field")) suggest(event.target.value);
  });
  rule.addEventListener("focusin", ({ target }) => {
    if (target.matches(".condition input")) suggest(target.closest(".condition").querySelector("select").value);
  });
  rule.addEventListener("click", ({ target }) => {
    if (target.id === "add") add();
    if (!target.matches("[data-remove]")) return;
    target.closest(".condition").remove();
    rename();
    soon();
  });
  rule.querySelector("#json").addEventListener("toggle", inJSON);
  rename();
  inJSON();
  preview();
}

if (form) start();
