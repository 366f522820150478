// Sends the forms of actions to the control API, and shows the page after it, or what went wrong.
import { ask, problemIn, showProblem } from "./api.js";
import { requestOf } from "./requests.js";

// {pointer} in the address of the next page is a part of the answer.
function addressOf(next, answer) {
  if (!next) return location.href.replace(/#.*/, "");
  return next.replace(/%7B([^%]+)%7D|\{([^}]+)\}/g, (_, one, other) => {
    const found = (one ?? other).split("/").reduce((inner, key) => inner?.[key], answer);
    return encodeURIComponent(found ?? "");
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
  try {
    const { method, path, body } = requestOf(form);
    const response = await ask(path, { method, body });
    if (response.ok && submitter?.dataset.download) {
      await save(response, submitter.dataset.download);
      submitter.disabled = false;
      return;
    }
    const answer = await response.json().catch(() => null);
    if (response.ok) {
      const shown = document.getElementById(submitter?.dataset.show ?? form.dataset.show);
      if (!shown) return location.assign(addressOf(form.dataset.next, answer));
      shown.textContent = JSON.stringify(answer, null, 2);
      shown.hidden = false;
    } else showProblem(problemIn(answer));
  } catch (error) {
    showProblem(error instanceof TypeError ? "The emulator does not answer." : error.message);
  }
  if (submitter) submitter.disabled = false;
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.act")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});
