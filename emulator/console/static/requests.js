// The request that a form of an action makes: its fields are the body, their names JSON pointers without the first slash.
// The name `.` is the whole body, and `?name` an argument of the query. data-type says what is not text; data-empty="null"
// sends null for an empty field, which is left out otherwise.

const unescaped = (key) => key.replaceAll("~1", "/").replaceAll("~0", "~");

function valueOf(field) {
  const type = field.dataset.type;
  if (field.type === "checkbox" && type === "boolean") return field.checked;
  if (field.type === "checkbox" || field.type === "radio") {
    if (!field.checked) return undefined;
  }
  if (field.type === "file") return field.files[0];
  const text = field.value;
  if (text === "") return field.dataset.empty === "null" ? null : undefined;
  if (type === "number") return Number(text);
  if (type === "boolean") return text === "true";
  if (type === "lines") return text.split("\n").map((line) => line.trim()).filter(Boolean);
  if (type === "json") {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(`${field.labels?.[0]?.textContent.trim() || field.name} is not JSON: ${error.message}`);
    }
  }
  return text;
}

function put(body, keys, value) {
  const last = keys.pop();
  keys.reduce((inner, key) => (inner[key] ??= {}), body)[last] = value;
}

export function requestOf(form) {
  const body = {};
  const query = new URLSearchParams();
  let whole;
  for (const field of form.elements) {
    if (!field.name || field.disabled) continue;
    const value = valueOf(field);
    if (value === undefined) continue;
    if (field.name === ".") whole = value;
    else if (field.name.startsWith("?")) query.append(field.name.slice(1), value);
    else put(body, field.name.split("/").map(unescaped), value);
  }
  const sent = whole ?? (Object.keys(body).length ? body : undefined);
  const search = query.toString();
  return { method: form.dataset.method, path: form.dataset.path + (search ? `?${search}` : ""), body: sent };
}
