// The report of a run: the score, and each survivor with its place and the event that would reveal it.
import "./tab.js";
import { element } from "./elements.js";

const shown = document.getElementById("mutated");

function link(words, base, asked) {
  const url = new URL(base, location.href);
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  return element("a", { href: url.pathname + url.search }, words);
}

function placeOf({ destination, mapping, place }) {
  if (mapping === null) return link(place, shown.dataset.destination, { destination });
  return link(place, shown.dataset.mapping, { destination, mapping });
}

// The event tester is a step of the page of a mapping.
function opening({ destination, mapping, event }) {
  const tried = mapping ?? JSON.parse(shown.dataset.first)[destination];
  const open = link("Open as test event", shown.dataset.mapping, { destination, mapping: tried, event: JSON.stringify(event) });
  open.className = "button";
  return open;
}

function eventIn(survivor) {
  if (!survivor.event) return [element("p", { class: "hint" }, "No event found that differs: the mutation may be equivalent.")];
  const text = element("pre", { tabindex: "0", dir: "auto" }, JSON.stringify(survivor.event, null, 2));
  const copy = element("button", { type: "button", "data-copy": true }, "Copy");
  return [
    element("p", {}, "An event would reveal it: ", element("bdi", {}, survivor.difference), " ", opening(survivor)),
    element("details", {}, element("summary", {}, "Event"), text, copy)];
}

function survivorIn(survivor) {
  const { kind, inherited, before, after } = survivor;
  const changed = [["Before", before], ["After", after]].flatMap(([name, text]) => [element("dt", {}, name), element("dd", { dir: "auto" }, text)]);
  return element("li", {},
    element("p", {}, `${kind} at `, placeOf(survivor), inherited ? ", a default of the generation" : ""),
    element("dl", { class: "pairs" }, ...changed), ...eventIn(survivor));
}

const killedIn = ({ kind, place, killedBy, because }) => element("li", { dir: "auto" }, `${kind} at ${place}, by ${killedBy}: ${because}`);

document.addEventListener("answered", ({ detail: { mutations, score, against, survivors, killed } }) => {
  const counts = `Score ${score} %: ${mutations.killed} of ${mutations.run} mutations noticed by ${against}, of ${mutations.possible} possible ones`;
  shown.replaceChildren(
    element("p", { class: survivors.length ? "bad" : "good", role: "status" }, counts),
    element("h2", {}, survivors.length ? "Survivors" : "Nothing survives"),
    element("ul", {}, ...survivors.map(survivorIn)),
    element("details", {}, element("summary", {}, `Noticed (${killed.length})`), element("ul", {}, ...killed.map(killedIn))));
  shown.scrollIntoView({ block: "nearest" });
});
