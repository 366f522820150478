// Values of a mapping: of what kind they are, how they read, and where they are.

// `none` for nothing, `variable` for a path into the event, `function` for any other directive, `members` for an object of
// values, `static` for the rest.
export function kindOf(value) {
  if (value === undefined || value === null) return "none";
  if (typeof value !== "object" || Array.isArray(value)) return "static";
  const [first] = Object.keys(value);
  if (!first?.startsWith("@")) return "members";
  if (first === "@path" && typeof value["@path"] === "string") return "variable";
  return first === "@literal" && typeof value["@literal"] !== "object" ? "static" : "function";
}

export const pathOf = (text) => (text.startsWith("$") ? text : `$.${text}`);
export const shortPath = (path) => path.replace(/^\$\./, "");
export const staticOf = (value) => (value !== null && typeof value === "object" && "@literal" in value ? value["@literal"] : value);

// What Segment shows as chips: coalesce( userId , anonymousId ) for a fallback.
export function inWords(value) {
  const kind = kindOf(value);
  if (kind === "none") return "nothing";
  if (kind === "variable") return shortPath(value["@path"]);
  if (kind === "static") return JSON.stringify(staticOf(value));
  if (kind === "members") return `${Object.keys(value).length} fields`;
  const [[name, options]] = Object.entries(value);
  if (name !== "@if") return `${name.slice(1)}( ${typeof options === "string" ? options : JSON.stringify(options)} )`;
  const test = "exists" in options ? options.exists : options.blank;
  const isFallback = "exists" in options && JSON.stringify(test) === JSON.stringify(options.then);
  if (isFallback) return `coalesce( ${alternatives(value).map(inWords).join(" , ")} )`;
  return `if( ${inWords(test)} ${"exists" in options ? "exists" : "is blank"} , ${inWords(options.then)} , ${inWords(options.else)} )`;
}

function alternatives(value) {
  const options = value?.["@if"];
  const isFallback = options && "exists" in options && JSON.stringify(options.exists) === JSON.stringify(options.then);
  return isFallback ? [options.then, ...alternatives(options.else)] : kindOf(value) === "none" ? [] : [value];
}

// The paths of everything in an event.
export function pathsIn(value, path = "$") {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [path];
  return [...(path === "$" ? [] : [path]), ...Object.entries(value).flatMap(([key, each]) => pathsIn(each, `${path}.${key}`))];
}

export const pointer = (path) => `/${path.replaceAll(".", "/")}`;
