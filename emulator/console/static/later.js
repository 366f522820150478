// What takes long comes after the page: elements with `data-later` are replaced by those of the page at this address.
async function bring(address, elements) {
  for (const element of elements) element.ariaBusy = "true";
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    const now = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const element of elements) {
      const found = now.getElementById(element.id);
      if (found) element.replaceWith(found);
    }
  } finally {
    for (const element of elements) element.ariaBusy = null;
  }
  document.dispatchEvent(new Event("renewed"));
}

const waiting = [...document.querySelectorAll("[data-later]")];
for (const address of new Set(waiting.map((element) => element.dataset.later))) {
  // Their links do the same.
  bring(address, waiting.filter((element) => element.dataset.later === address)).catch(() => {});
}
