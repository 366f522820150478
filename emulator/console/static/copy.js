// Copies the code beside a button.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const code = button.parentElement.querySelector("code, pre");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    // Browsers allow it on HTTPS and loopback only.
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
});
