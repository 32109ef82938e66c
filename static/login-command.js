// A log-in command, a robot account as Harbor exports it, or an address with a credential that is pasted into a form of a
// registry is split into the fields, in the browser: a password never travels in an address.
const FORMS = ["add-form", "correct-form"];
const PROGRAM = /(^|\/)(docker|podman|nerdctl|buildah|skopeo|crane|helm|oras|regctl)(\.exe)?$/;
const WORD = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\[^A-Za-z0-9]|[^\s'"]|['"])+|\n/g;
const END = /^(\n|[|&;]+|#)$/;
const OPTION = /^(?:-([up])=?(.*)|--(username|password)(?:=(.*))?)$/s;
// A variable, or what a guide writes in place of a value.
const STAND_IN = /^"?\$[A-Z_{(]|^["']?<.*>["']?$|^\*+$/;

function plain(word) {
  if (!word || STAND_IN.test(word)) return "";
  return word.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\([^A-Za-z0-9])/g, (_, single, double, escaped) =>
    single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped);
}

function commands(text) {
  const found = [[]];
  for (const word of text.replace(/\\\r?\n/g, " ").match(WORD) ?? []) {
    if (END.test(word)) found.push([]);
    else found.at(-1).push(word);
  }
  return found;
}

function ofCommand(text) {
  const all = commands(text);
  const position = all.findIndex((words) => words.includes("login") && words.some((word) => PROGRAM.test(word)));
  if (position < 0) return null;
  const rest = all[position].slice(all[position].indexOf("login") + 1);
  const found = { domain: "docker.io" };
  while (rest.length) {
    const word = rest.shift();
    const option = word.match(OPTION);
    if (option) {
      const name = (option[1] || option[3]).startsWith("u") ? "username" : "password";
      found[name] = plain(option[2] || option[4] || rest.shift());
    } else if (!word.startsWith("-")) {
      found.domain = plain(word) || found.domain;
    }
  }
  const before = all[position - 1] ?? [];
  if (!found.password && /^(echo|printf)$/.test(before[0])) found.password = plain(before.at(-1));
  return found;
}

function ofRobot(text) {
  try {
    const { name, secret } = JSON.parse(text);
    return typeof name === "string" && typeof secret === "string" ? { username: name, password: secret } : null;
  } catch {
    return null;
  }
}

function ofAddress(text) {
  const found = text.trim().match(/^(https?:\/\/)?([^\s/:@]+):([^\s/@]+)@([^\s@]+)$/i);
  if (!found) return null;
  const [, scheme = "", username, password, rest] = found;
  try {
    const decoded = scheme ? [username, password].map(decodeURIComponent) : [username, password];
    return { domain: scheme + rest, username: decoded[0], password: decoded[1] };
  } catch {
    return null;
  }
}

document.addEventListener("paste", (event) => {
  const input = event.target;
  const form = input.form;
  if (!FORMS.includes(form?.id) || !["domain", "username", "password"].includes(input.name)) return;
  const text = event.clipboardData.getData("text/plain");
  const found = ofCommand(text) ?? ofRobot(text) ?? (input.name === "domain" ? ofAddress(text) : null);
  if (!found) return;
  event.preventDefault();
  for (const [name, value] of Object.entries(found)) {
    const field = form.elements.namedItem(name);
    if (!field || field.readOnly || !value) continue;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.getElementById("split").hidden = false;
  const fields = ["domain", "username", "password"].map((name) => form.elements.namedItem(name));
  fields.find((field) => field && !field.value)?.focus();
});
