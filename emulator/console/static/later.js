// What takes long comes after the page: an element with `data-later` is replaced by that of the page at this address.
async function bring(element) {
  element.ariaBusy = "true";
  const response = await fetch(element.dataset.later, { headers: { Accept: "text/html" } });
  const now = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = now.getElementById(element.id);
  if (found) element.replaceWith(found);
  document.dispatchEvent(new Event("renewed"));
}

for (const element of document.querySelectorAll("[data-later]")) {
  // Its link does the same.
  bring(element).catch(() => (element.ariaBusy = null));
}
