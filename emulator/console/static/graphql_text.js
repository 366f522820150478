// A GraphQL document with a field a line. What is in parentheses stays on one line; nothing but blanks is changed.
const TOKENS = /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|\.\.\.|[{}()[\]:,=!|&@$]|[^\s{}()[\]:,=!|&@$"#]+|"/g;

export function prettyDocument(text) {
  let out = "";
  let depth = 0;
  let inner = 0;
  let before = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  const add = (token) => {
    const glued = !out || /[\s({[$@]$/.test(out) || before === "..." ? "" : " ";
    const next = depth && !inner && !/^[:=@]$|^on$/.test(before) && before && before !== "{" && before !== "...";
    out += (next && token !== "@" ? line() : before === "..." && token === "on" ? " " : glued) + token;
  };
  for (const token of text.match(TOKENS) ?? []) {
    if (token === "{" && !inner) {
      depth += 1;
      out += `${out && !/\s$/.test(out) ? " " : ""}{${line()}`;
    } else if (token === "}" && !inner) {
      depth = Math.max(0, depth - 1);
      out = `${out.trimEnd()}${line()}}${depth ? "" : "\n\n"}`;
    } else if (token.startsWith("#")) out += `${out && !/\s$/.test(out) ? " " : ""}${token}${line()}`;
    else if ("([{".includes(token)) {
      inner += 1;
      out += (token === "(" || /[\s([{]$/.test(out) ? "" : " ") + token;
    } else if (")]}".includes(token)) {
      inner = Math.max(0, inner - 1);
      out = out.trimEnd() + token;
    } else if (token === ",") out = inner ? `${out.trimEnd()},` : out;
    else if (":!".includes(token)) out = out.trimEnd() + token;
    else add(token);
    before = token.startsWith("#") ? "{" : token;
  }
  return out.trim();
}
