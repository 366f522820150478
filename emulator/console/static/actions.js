// Sends the forms of actions to the control API, and shows the page after it, or what went wrong.
import { ask, problemIn, showProblem } from "./api.js";
import { requestOf } from "./requests.js";

const partOf = (answer, pointer) => pointer.split("/").reduce((inner, key) => inner?.[key], answer);
const inWords = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

// An element without parts gets the whole answer. One with parts shows each where it is not null, and what is marked with
// data-when where that part is data-is.
// data-sent is a part of what was sent.
function show(shown, answer, sent) {
  const parts = shown.querySelectorAll("[data-part]");
  const sentParts = shown.querySelectorAll("[data-sent]");
  for (const part of sentParts) part.textContent = inWords(partOf(sent, part.dataset.sent) ?? "");
  if (!parts.length && !sentParts.length) shown.textContent = inWords(answer);
  for (const part of parts) {
    const value = partOf(answer, part.dataset.part) ?? null;
    part.textContent = value === null ? "" : inWords(value);
    part.hidden = value === null;
  }
  for (const each of shown.querySelectorAll("[data-when]")) {
    each.hidden = JSON.stringify(partOf(answer, each.dataset.when)) !== each.dataset.is;
  }
  shown.hidden = false;
}

// {pointer} in the address of the next page is a part of the answer.
function addressOf(next, answer) {
  if (!next) return location.href.replace(/#.*/, "");
  return next.replace(/%7B(.+?)%7D|\{([^}]+)\}/g, (_, one, other) => {
    return encodeURIComponent(partOf(answer, decodeURIComponent(one ?? other)) ?? "");
  });
}

// A button with `data-download` saves the answer in a file of this name.
async function save(response, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  // Revoked at once, it could not be read any more.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function send(form, submitter) {
  if (submitter) submitter.disabled = true;
  // An error of what was sent before is none of this.
  document.getElementById("problem").hidden = true;
  form.ariaBusy = "true";
  try {
    const { method, path, body } = requestOf(form, submitter);
    const headers = form.dataset.content ? { "Content-Type": form.dataset.content } : {};
    const response = await ask(path, { method, body, headers });
    if (response.ok && submitter?.dataset.download) {
      await save(response, submitter.dataset.download);
      submitter.disabled = false;
      form.ariaBusy = null;
      return;
    }
    const isText = response.headers.get("Content-Type")?.startsWith("text/plain");
    const answer = isText ? await response.text() : await response.json().catch(() => null);
    if (response.ok) {
      form.dispatchEvent(new Event("accepted", { bubbles: true }));
      const shown = document.getElementById(submitter?.dataset.show ?? form.dataset.show);
      if (!shown) return location.assign(addressOf(form.dataset.next, answer));
      show(shown, answer, body);
      form.dispatchEvent(new CustomEvent("answered", { bubbles: true, detail: answer }));
    } else showProblem(problemIn(answer));
  } catch (error) {
    showProblem(error instanceof TypeError ? "The emulator does not answer." : error.message);
  }
  if (submitter) submitter.disabled = false;
  form.ariaBusy = null;
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.act")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

function enable() {
  for (const form of document.querySelectorAll("form.act")) form.inert = false;
}

enable();
document.addEventListener("renewed", enable);

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[type=button][data-path]");
  if (button) send(button.form, button);
});
