// `/` goes to the search, Esc leaves a field, else closes what is open.
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.getElementById("search");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  } else if (event.key === "Escape") {
    if (typing) event.target.blur();
    else document.getElementById("close")?.click();
  }
});

// Without the script, a button submits the choice.
const sandboxes = document.getElementById("sandboxes");
if (sandboxes) {
  sandboxes.querySelector("button").hidden = true;
  sandboxes.addEventListener("change", () => sandboxes.requestSubmit());
}
