// Changes of a form that are not saved: a mark while there are any, and a question before the page is left.
import { requestOf } from "./requests.js";

// What cannot be read as JSON is a change, too.
function contentOf(form) {
  try {
    return JSON.stringify(requestOf(form).body);
  } catch (error) {
    return error.message;
  }
}

// Returns what has to be called after a change that was made by a script.
export function watchUnsaved(form, mark) {
  let saved = contentOf(form);
  let sending;
  const isUnsaved = () => contentOf(form) !== saved;
  const show = () => { mark.hidden = !isUnsaved(); };
  form.addEventListener("submit", () => { sending = contentOf(form); });
  document.addEventListener("accepted", ({ target }) => {
    if (target === form) saved = sending;
    // Nothing is left to save.
    else if (target.dataset.method === "DELETE") saved = contentOf(form);
    show();
  });
  window.addEventListener("beforeunload", (event) => { if (isUnsaved()) event.preventDefault(); });
  for (const field of form.elements) field.addEventListener("input", show);
  return show;
}
