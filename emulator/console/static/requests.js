// The request that a form of an action makes: its fields are the body, their names JSON pointers without the first slash,
// in which `[0]` is a place in a list that the fields make; any other key, a number too, is the name of a member.
// The name `.` is the whole body, and `?name` an argument of the query. data-type says what is not text; data-empty="null"
// sends null for an empty field and data-empty="text" the empty text; it is left out otherwise. A button may have a method
// and a path of its own, and data-send, the one member of the body that it sends.

const unescaped = (key) => key.replaceAll("~1", "/").replaceAll("~0", "~");

function valueOf(field) {
  const type = field.dataset.type;
  if (field.type === "checkbox" && type === "boolean") return field.checked;
  if (field.type === "checkbox" || field.type === "radio") {
    if (!field.checked) return undefined;
  }
  if (field.type === "file") return field.files[0];
  const text = field.value;
  if (text === "") return { null: null, text: "" }[field.dataset.empty];
  if (type === "number") return Number(text);
  if (type === "boolean") return text === "true";
  if (type === "scalar") return /^(-?\d{1,15}(\.\d+)?|true|false)$/.test(text) ? JSON.parse(text) : text;
  if (type === "lines") return text.split("\n").map((line) => line.trim()).filter(Boolean);
  if (type === "json") {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(`${field.labels?.[0]?.textContent.trim() || field.name} is not JSON: ${error.message}. Write text in double quotes, such as "gold".`);
    }
  }
  return text;
}

const place = (key) => /^\[(\d+)\]$/.exec(key)?.[1];

function put(body, keys, value) {
  const last = keys.pop();
  const holder = keys.reduce((inner, key, index) => (inner[place(key) ?? key] ??= place(keys[index + 1] ?? last) ? [] : {}), body);
  holder[place(last) ?? last] = value;
}

export function requestOf(form, button) {
  const asked = { ...form.dataset, ...button?.dataset };
  const body = {};
  const query = new URLSearchParams();
  let whole;
  for (const field of form.elements) {
    if (!field.name || field.matches(":disabled")) continue;
    const value = valueOf(field);
    if (value === undefined) continue;
    if (field.name === ".") whole = value;
    else if (field.name.startsWith("?")) query.append(field.name.slice(1), value);
    else put(body, field.name.split("/").map(unescaped), value);
  }
  const all = whole ?? (Object.keys(body).length ? body : undefined);
  const sent = asked.send ? { [asked.send]: all?.[asked.send] } : all;
  const search = query.toString();
  return { method: asked.method, path: asked.path + (search ? `?${search}` : ""), body: sent };
}
