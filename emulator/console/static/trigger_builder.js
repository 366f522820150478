// The conditions of a trigger: groups of All and Any, each condition with its result for the event. The control API reads
// them from FQL and writes them as FQL; this only shows and edits them.
import { button, element, quietly, select } from "./elements.js";

const FIELDS = [
  ["type", "Event Type"], ["event", "Event Name"], ["properties", "Event property"], ["traits", "Event trait"],
  ["context", "Context field"], ["userId", "User ID"], ["name", "Page or screen name"],
];
const NESTED = ["properties", "traits", "context"];
const TYPES = ["track", "identify", "page", "screen", "group", "alias"].map((each) => [each, each[0].toUpperCase() + each.slice(1)]);
const OPERATORS = [
  ["=", "is"], ["!=", "is not"], ["contains", "contains"], ["not_contains", "does not contain"], ["starts_with", "starts with"],
  ["not_starts_with", "does not start with"], ["ends_with", "ends with"], ["not_ends_with", "does not end with"],
  ["<", "is less than"], ["<=", "is at most"], [">", "is greater than"], [">=", "is at least"],
  ["exists", "exists"], ["not_exists", "does not exist"], ["is_true", "is true"], ["is_false", "is false"],
];
const NUMERIC = ["<", "<=", ">", ">="];
const ALONE = ["exists", "not_exists", "is_true", "is_false"];

const isGroup = (item) => Array.isArray(item.conditions);
const named = (name) => ({ field: "event", operator: "=", value: name });
const newCondition = () => ({ field: "type", operator: "=", value: "track" });
const newGroup = () => ({ operator: "or", conditions: [named("Audience Entered"), named("Audience Exited")] });

const leaves = (item) => (isGroup(item) ? item.conditions.flatMap(leaves) : [item]);

// Without the results. The operator of a single condition says nothing.
function plain(item) {
  if (!isGroup(item)) return { field: item.field, name: item.name, operator: item.operator, value: item.value };
  return { operator: item.conditions.length > 1 ? item.operator : "and", conditions: item.conditions.map(plain) };
}
const same = (one, other) => JSON.stringify(plain(one)) === JSON.stringify(plain(other));

function operatorsOf(field) {
  if (field === "type") return OPERATORS.filter(([each]) => !ALONE.includes(each) && !NUMERIC.includes(each));
  if (NESTED.includes(field)) return OPERATORS;
  return OPERATORS.filter(([each]) => !NUMERIC.includes(each) && each !== "is_true" && each !== "is_false");
}

// A number is never equal to a string, so the form asks which of both is meant.
function valueField(item, changed) {
  if (ALONE.includes(item.operator)) return [];
  if (item.field === "type" && TYPES.some(([each]) => each === item.value) && ["=", "!="].includes(item.operator)) {
    return [quietly("Value", select({ change: (event) => { item.value = event.target.value; changed(); } }, TYPES, item.value))];
  }
  const isNumber = typeof item.value === "number";
  const read = (text, number) => (number && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text);
  const put = (text, number) => { item.value = read(text, number); changed(); };
  const input = element("input", {
    value: String(item.value ?? ""), list: item.field === "event" ? "event-names" : null, change: (event) => put(event.target.value, isNumber),
  });
  const kinds = select({ change: (event) => put(input.value, event.target.value === "number") }, [["text", "text"], ["number", "number"]], isNumber ? "number" : "text");
  return [quietly("Value", input), NESTED.includes(item.field) ? quietly("Kind of value", kinds) : null];
}

function conditionFields(item, changed, rebuilt) {
  const choose = (event) => {
    const field = event.target.value;
    const value = field === "type" ? "track" : field === "event" ? "Audience Entered" : "";
    Object.assign(item, { field, operator: "=", value, name: NESTED.includes(field) ? "" : undefined });
    rebuilt();
  };
  const operate = (event) => {
    item.operator = event.target.value;
    item.value = ALONE.includes(item.operator) ? undefined : NUMERIC.includes(item.operator) ? Number(item.value) || 0 : item.value ?? "";
    rebuilt();
  };
  const name = element("input", {
    value: item.name ?? "", placeholder: "such as plan", required: true, change: (event) => { item.name = event.target.value.trim(); changed(); },
  });
  return [
    quietly("Field", select({ change: choose }, FIELDS, item.field)),
    NESTED.includes(item.field) ? quietly("Name within it", name) : null,
    quietly("Operator", select({ change: operate }, operatorsOf(item.field), item.operator)),
    ...valueField(item, changed),
  ];
}

const found = (item) => ("found" in item ? `found ${JSON.stringify(item.found)}` : "found nothing");

export function showResult(mark, item) {
  mark.className = item.passed ? "good" : "bad";
  mark.textContent = `${item.passed ? "yes" : "no"}${isGroup(item) ? "" : ` · ${item.error ?? found(item)}`}`;
}

// Conditions that cannot be edited, in words.
export function inWords(item) {
  if (!isGroup(item)) {
    const operator = OPERATORS.find(([each]) => each === item.operator)?.[1] ?? item.operator;
    const value = item.value === undefined ? "" : ` ${JSON.stringify(item.value)}`;
    const mark = element("span");
    showResult(mark, item);
    return element("li", {}, `${item.name ? `${item.field}.${item.name}` : item.field} ${operator}${value} `, mark);
  }
  const mark = element("span");
  showResult(mark, item);
  return element("li", {}, `${item.operator === "and" ? "All" : "Any"} of: `, mark, element("ul", {}, ...item.conditions.map(inWords)));
}

// What has to be entered in a condition that has no name yet.
const WANTED = {
  properties: "Enter the name of the event property to look at, such as plan.",
  traits: "Enter the name of the event trait to look at, such as email.",
  context: "Enter the name of the context field to look at, such as ip.",
};

// `edited(conditions)` is called after each edit. While a name is missing, `wants(words)` is called in its place.
export function triggerBuilder(place, edited, wants) {
  let tree = { operator: "and", conditions: [] };
  let marks = [];
  const changed = () => {
    const unnamed = leaves(tree).find((item) => NESTED.includes(item.field) && !item.name);
    if (unnamed) wants(WANTED[unnamed.field]);
    else edited(plain(tree));
  };

  // Shows the conditions again, goes to one of them, and hands them on.
  function rebuilt(item) {
    const at = leaves(tree).indexOf(item);
    render();
    (place.querySelectorAll("li.condition")[at] ?? place).querySelector("select, button")?.focus();
    changed();
  }

  function conditionItem(item, list) {
    const mark = element("span");
    marks.push(mark);
    const again = () => rebuilt(item);
    const remove = () => {
      const after = leaves(tree)[leaves(tree).indexOf(item) + 1];
      list.splice(list.indexOf(item), 1);
      rebuilt(after);
    };
    return element("li", { class: "condition row" }, ...conditionFields(item, changed, again), button("Remove", remove, { "aria-label": "Remove condition" }), mark);
  }

  function groupItem(group, list) {
    const mark = element("span");
    marks.push(mark);
    const choices = [["and", "All"], ["or", "Any"]];
    const operator = select({ change: (event) => { group.operator = event.target.value; changed(); } }, choices, group.operator);
    const add = (make) => () => {
      const made = make();
      group.conditions.push(made);
      rebuilt(leaves(made)[0]);
    };
    const items = group.conditions.map((each) => (isGroup(each) ? groupItem(each, group.conditions) : conditionItem(each, group.conditions)));
    const shown = element("div", { class: "group", role: "group", "aria-label": list ? "Group of conditions" : "Conditions" },
      element("p", { class: "row" }, element("label", {}, operator, " of these conditions"), mark),
      element("ul", {}, ...items),
      element("p", { class: "row" }, button("Add Condition", add(newCondition)), list ? null : button("Add Group", add(newGroup)),
        list && button("Remove", () => { list.splice(list.indexOf(group), 1); rebuilt(leaves(tree)[0]); }, { "aria-label": "Remove group" })));
    return list ? element("li", {}, shown) : shown;
  }

  function render() {
    const controls = () => [...place.querySelectorAll("select, input, button")];
    const focused = controls().indexOf(document.activeElement);
    marks = [];
    const names = element("datalist", { id: "event-names" }, ...["Audience Entered", "Audience Exited"].map((value) => element("option", { value })));
    place.replaceChildren(groupItem(tree, null), names);
    controls()[focused]?.focus();
  }

  // In the order in which they are rendered.
  const results = (item) => [item, ...(item.conditions ?? []).flatMap(results)];

  function show({ conditions, obstacle }) {
    if (obstacle !== null) {
      tree = { operator: "and", conditions: [] };
      const words = conditions ? element("ul", {}, inWords(conditions)) : null;
      place.replaceChildren(element("p", {}, `This FQL cannot be shown as conditions. ${obstacle} It stays editable as text.`), ...(words ? [words] : []));
      return;
    }
    if (!place.querySelector(".group") || !same(tree, conditions)) {
      tree = { ...plain(conditions), operator: conditions.conditions.length > 1 ? conditions.operator : tree.operator };
      render();
    }
    marks.forEach((mark, at) => showResult(mark, results(conditions)[at]));
  }

  return { show };
}
