// The add form: presets of providers, name rules, address checks. A changed field removes the verdict of a test.
const TESTED = ["domain", "username", "password", "namespace", "tls", "ca_bundle", "probe_image"];
const KINDS = ["harbor", "dockerhub", "aliyun", "registry", "quay", "ghcr", "acr", "ecr", "gitlab", "nexus"];
const ADMINISTRATORS = ["admin", "administrator", "root"];
const DOCKER_HUB = /^(https?:\/\/)?((index\.|registry-1\.)?docker\.io|(registry\.)?hub\.docker\.com|www\.docker\.com)\/?$/i;
const ENVIRONMENTS = /(^|[._-])(prod|production|dev|develop|test|testing|stag|staging|stage|uat|qa|pre|demo)([._-]|$|\d)/;
// More than an address: a command or an address with a password. Only its kind is sent to be looked at.
const COMMAND = /(^|\s)((docker|podman|nerdctl|buildah|skopeo|crane|helm|oras|crictl)\s|--?(u|p|username|password)\b)/;
let suggested = "";
let timer = 0;
// Until a person chooses a provider, it follows the address; `usual` is the one for an address that says none.
let picked = false;
let followed = false;
let usual = "";

function form() {
  return document.getElementById("add-form");
}

function field(name) {
  return form().elements.namedItem(name);
}

function chosenProvider() {
  return form().querySelector("[name=provider]:checked");
}

// A hyphen ends no line there, nor does a letter of a Chinese name in brackets.
function whole(text) {
  const joined = text.replaceAll(/\(\p{Script=Han}+\)/gu, (name) => [...name].join("\u2060"));
  return joined.replaceAll(/(?<=\w)-(?=\w)/g, "\u2011");
}

function applyPreset({ keep }) {
  const provider = chosenProvider();
  if (!provider) return;
  const { domain, example, domainHint, usernameExample, usernameHint, passwordHint } = provider.dataset;
  const input = field("domain");
  input.placeholder = example;
  field("username").placeholder = usernameExample;
  document.getElementById("hint-domain").textContent = domainHint;
  document.getElementById("hint-username").textContent = whole(usernameHint);
  // The password of a Secret has no field.
  if (field("password")) document.getElementById("hint-password").textContent = whole(passwordHint);
  const aliyun = provider.value === "aliyun";
  document.getElementById("aliyun").hidden = !aliyun || followed;
  if (keep) return;
  // Replace an address from a preset, never a typed one.
  if (!input.value || input.dataset.preset === input.value) {
    write(input, aliyun ? aliyunAddress() : domain);
  }
}

// Docker Hub has a public certificate. A choice that was made stays in sight.
function offerTrust() {
  const usual = form().querySelector("[name=tls][value=system]").checked;
  document.getElementById("div_id_tls").hidden = usual && DOCKER_HUB.test(field("domain").value.trim());
}

// A copy goes to another namespace than the registry itself.
function offerOthers() {
  for (const box of form().querySelectorAll("[name=also]")) {
    const own = box.value === field("namespace").value;
    box.disabled = own;
    box.closest(".choice").hidden = own;
  }
}

function checkAccount() {
  const name = field("username").value.trim().toLowerCase();
  const warning = document.getElementById("administrator");
  const isNew = warning.hidden && ADMINISTRATORS.includes(name);
  warning.hidden = !ADMINISTRATORS.includes(name);
  if (isNew) warning.scrollIntoView({ block: "nearest" });
}

// The name of an instance; of a whole address that was pasted, the name in it.
function instanceOf(typed) {
  const [name, ...rest] = typed.replace(/^https?:\/\//, "").split(".");
  return rest.length ? name.replace(/(-registry)?(-vpc)?$/, "") : name;
}

function aliyunAddress() {
  const region = document.getElementById("aliyun-region").value;
  const network = document.getElementById("aliyun-network").value;
  const instance = instanceOf(document.getElementById("aliyun-instance").value.trim().toLowerCase());
  // The console of Aliyun shows these three forms: personal since September 2024, enterprise, and personal before.
  if (/^crpi-/.test(instance)) return `${instance}${network.replace("registry", "")}.${region}.personal.cr.aliyuncs.com`;
  return instance ? `${instance}-${network}.${region}.cr.aliyuncs.com` : `${network}.${region}.aliyuncs.com`;
}

function write(input, value) {
  input.value = value;
  input.dataset.preset = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function checkRules() {
  const name = field("name").value.trim();
  const met = {
    characters: /^[a-z0-9.-]+$/.test(name),
    ends: /^[a-z0-9]/i.test(name) && /[a-z0-9]$/i.test(name), // capital letters break another rule
    environment: ENVIRONMENTS.test(name.toLowerCase()),
    kind: KINDS.some((kind) => name.toLowerCase().includes(kind)),
  };
  for (const rule of document.querySelectorAll("#name-rules [data-rule]")) {
    const fine = met[rule.dataset.rule];
    rule.classList.toggle("met", fine);
    rule.classList.toggle("broken", Boolean(name) && !fine && !("advice" in rule.dataset));
  }
  const broken = document.querySelector("#name-rules .broken") !== null;
  if (broken) field("name").setAttribute("aria-invalid", "true");
  else if (!field("name").matches(".is-invalid")) field("name").removeAttribute("aria-invalid");
}

function valueOf(name) {
  if (name === "provider") return chosenProvider()?.value ?? "";
  const value = field(name).value.trim();
  if (name !== "domain") return name === "username" && /\s/.test(value) ? "" : value;
  if (/\s/.test(value)) return COMMAND.test(value) ? "docker login" : "x x";
  return value.includes("@") ? "@" : value;
}

function ask(id, names) {
  const target = document.getElementById(id);
  // Send only these values, never the password.
  const query = new URLSearchParams(names.map((name) => [name, valueOf(name)]));
  if (!picked) query.set("follows", "yes");
  return window.htmx.ajax("GET", `${target.dataset.url}?${query}`, { source: target, target, swap: "innerHTML" });
}

// The provider of the address, from a response; "" for an address that says none.
function follow(found) {
  const card = form() && !picked && form().querySelector(`[name=provider][value=${found || usual}]`);
  if (!card || card.checked) return;
  followed = card.checked = true;
  applyPreset({ keep: true });
  askName();
}

function askLater() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!form()) return;
    ask("check-address", ["domain", "username", "namespace", "provider"]);
    askImages();
  }, 250);
}

// The images that pods run from this host: only while their field is unfolded, and once for each host and namespace.
function askImages() {
  const place = document.getElementById("add-images");
  if (!place || !document.getElementById("probe-image").open) return;
  const of = `${field("namespace").value} ${field("domain").value.trim()}`;
  if (place.dataset.of === of) return;
  place.dataset.of = of;
  place.replaceChildren();
  if (field("domain").value.trim()) ask("add-images", ["domain", "namespace"]);
}

let nameTimer = 0;
function askName() {
  clearTimeout(nameTimer);
  nameTimer = setTimeout(() => {
    if (form()) ask("check-name", ["name", "namespace", "provider"]);
  }, 250);
}

// Drop a response for values that have changed since the request.
let edition = 0;
const asked = new WeakMap();
document.addEventListener("htmx:beforeSend", (event) => {
  if (event.detail.target.id === "verdict") asked.set(event.detail.xhr, edition);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (target.id === "verdict" && asked.get(xhr) !== edition) event.detail.shouldSwap = false;
});

function changed(event) {
  const { name, id } = event.target;
  if (TESTED.includes(name)) {
    edition += 1;
    document.getElementById("verdict").replaceChildren();
  }
  if (id.startsWith("aliyun-")) {
    write(field("domain"), aliyunAddress());
    return;
  }
  offerTrust();
  checkAccount();
  if (event.type === "input" && name === "name") {
    checkRules();
    document.getElementById("name-rules").scrollIntoView({ block: "nearest" });
    askName();
  }
  if (event.type === "change" && name === "provider") {
    picked = true;
    followed = false;
    applyPreset({ keep: false });
    askLater();
  }
  if (name === "namespace") offerOthers();
  if (["domain", "username", "namespace"].includes(name)) askLater();
}

let waiting = "";
function suggest(name) {
  const input = form() && field("name");
  if (!input || (input.value && input.value !== suggested)) return;
  if (document.activeElement === input) {
    waiting = name; // whoever is in the field may be about to type over what it holds
    return;
  }
  suggested = name;
  input.value = name;
  checkRules();
}

function markTested() {
  for (const input of form().querySelectorAll("[data-marked]")) {
    input.removeAttribute("aria-invalid");
    delete input.dataset.marked;
  }
  for (const item of form().querySelectorAll("#verdict [data-error-for]")) {
    const input = document.getElementById(item.dataset.errorFor);
    input?.setAttribute("aria-invalid", "true");
    if (input) input.dataset.marked = "";
  }
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (!form()) return;
  if (event.detail.target.id === "dialog-body" || event.detail.target === document.body) start();
  if (event.detail.target.id === "verdict") markTested();
});
document.addEventListener("provider-found", (event) => follow(event.detail.provider));
document.addEventListener("name-suggested", (event) => {
  waiting = "";
  suggest(event.detail.name);
});
document.addEventListener("focusout", (event) => {
  if (!waiting || event.target.name !== "name") return;
  suggest(waiting);
  waiting = "";
});
document.addEventListener("click", (event) => {
  const trust = event.target.closest("#trust-ca");
  if (trust) trustAuthority(trust.dataset.pem);
  const provider = event.target.closest("[data-choose-provider]");
  if (provider) form().querySelector(`[name=provider][value=${provider.dataset.chooseProvider}]`).click();
  const choice = event.target.closest("[data-fills]");
  if (choice) {
    const input = document.getElementById(choice.dataset.fills);
    write(input, choice.value);
    input.focus();
  }
});

// A CA from the verdict or from a file. The change removes the verdict, so test afterwards.
function writeAuthority(pem) {
  form().querySelector("[name=tls][value=ca]").checked = true;
  field("ca_bundle").value = pem;
  field("ca_bundle").dispatchEvent(new Event("input", { bubbles: true }));
}

function trustAuthority(pem) {
  writeAuthority(pem);
  const test = document.getElementById("add-test");
  test.focus();
  test.click();
}

async function readFile(event) {
  const [file] = event.target.files;
  // Longer than any bundle that the server accepts.
  if (file) writeAuthority(await file.slice(0, 70_000).text());
  event.target.value = "";
}

function start() {
  const target = form();
  if (target.dataset.started) return;
  target.dataset.started = "yes";
  suggested = suggested || field("name").value;
  if (!target.querySelector("#error-summary")) suggested = field("name").value;
  if (!target.querySelector("#error-summary") && !field("another").checked) {
    picked = followed = false;
    usual = chosenProvider()?.value ?? "";
  }
  // What was typed stays, also an emptied field; a new form begins with the preset.
  applyPreset({ keep: Boolean(target.querySelector("#error-summary")) });
  offerTrust();
  offerOthers();
  checkAccount();
  checkRules();
  if (field("domain").value) askLater();
  target.addEventListener("input", changed);
  target.addEventListener("change", changed);
  document.getElementById("ca-file").addEventListener("change", readFile);
  document.getElementById("probe-image").addEventListener("toggle", askImages);
  askImages();
}

if (form()) start();
