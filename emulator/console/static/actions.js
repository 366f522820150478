// Sends the forms of actions to the control API, and shows the page after it, or what went wrong.
import { ask, problemIn, showProblem } from "./api.js";
import { requestOf } from "./requests.js";

// {pointer} in the address of the next page is a part of the answer.
function addressOf(next, answer) {
  if (!next) return location.href.replace(/#.*/, "");
  return next.replace(/%7B(.+?)%7D|\{([^}]+)\}/g, (_, one, other) => {
    const found = decodeURIComponent(one ?? other).split("/").reduce((inner, key) => inner?.[key], answer);
    return encodeURIComponent(found ?? "");
  });
}

async function send(form, submitter) {
  if (submitter) submitter.disabled = true;
  form.ariaBusy = "true";
  try {
    const { method, path, body } = requestOf(form);
    const response = await ask(path, { method, body, headers: form.dataset.content ? { "Content-Type": form.dataset.content } : {} });
    const answer = await response.json().catch(() => null);
    if (response.ok) {
      const shown = form.dataset.show && document.getElementById(form.dataset.show);
      if (!shown) return location.assign(addressOf(form.dataset.next, answer));
      shown.hidden = false;
      const event = new CustomEvent("answer", { detail: answer, cancelable: true });
      if (shown.dispatchEvent(event)) shown.textContent = JSON.stringify(answer, null, 2);
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
