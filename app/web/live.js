// Every page keeps itself fresh: it asks for its own address again and replaces the parts that changed.
// One request at a time; a newer one ends the older, so that nothing on screen answers another question.

const EVERY_MS = 10_000;
const SLOW_MS = 4_000;
const GIVEN_UP_MS = 30_000;
const byId = (id) => document.getElementById(id);
const shown = new Map();
let under_way = null;
let tag = null;
let good = Date.now();

const parts = (page) => [...page.querySelectorAll("[data-part]")];
for (const part of parts(document)) shown.set(part.dataset.part, part.innerHTML);

// ---- what the page says of its own freshness

function say(state, words = "") {
  const place = byId("freshness");
  document.body.dataset.state = state;
  place.hidden = !words;
  if (place.textContent !== words) place.textContent = words;
}

function age() {
  const seconds = Math.round((Date.now() - good) / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

const stale = (why) => say("stale", `${why} These numbers are ${age()} old; the page asks again by itself.`);

// ---- loading

export function cancel() {
  under_way?.abort();
}

// Shows what an address gives in the parts of this page; true when it was shown.
export async function load(address, { quiet = false } = {}) {
  cancel();
  const mine = new AbortController();
  under_way = mine;
  let given_up = false;
  const slow = setTimeout(() => stale("The service has not answered yet."), SLOW_MS);
  const late = setTimeout(() => { given_up = true; mine.abort(); }, GIVEN_UP_MS);
  if (!quiet) say("loading", "");
  try {
    const same = quiet && tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(address, { cache: "no-store", headers: same, signal: mine.signal });
    if (answer.status === 304) return fresh();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine.signal.aborted) return false;
    if (!answer.ok) return refused(page, answer.status);
    tag = answer.headers.get("ETag");
    show(page);
    return fresh();
  } catch (error) {
    if (given_up || error.name !== "AbortError") stale("The service does not answer.");
    return false;
  } finally {
    clearTimeout(slow);
    clearTimeout(late);
    if (under_way === mine) under_way = null;
  }
}

function fresh() {
  good = Date.now();
  say("fresh");
  return true;
}

function refused(page, status) {
  const why = page.querySelector(".notice p")?.textContent ?? `The service answers ${status}.`;
  if (kind(document) === "problem") return fresh();
  if (status >= 500) stale(why);
  else say("failed", why);
  return false;
}

const kind = (page) => page.querySelector("main")?.dataset.page;

function show(page) {
  if (kind(page) !== kind(document)) return location.reload(); // another kind of page now stands at this address
  for (const part of parts(page)) {
    const name = part.dataset.part;
    const content = part.innerHTML; // before its nodes move
    const place = document.querySelector(`[data-part="${CSS.escape(name)}"]`);
    if (place && shown.get(name) !== content) replace(place, part);
    shown.set(name, content);
  }
  document.title = page.title;
  dispatchEvent(new CustomEvent("parts", { detail: page }));
}

// What a person is in keeps its focus and what was typed, ticked or opened in it.
function replace(place, part) {
  const held = place.contains(document.activeElement) ? document.activeElement : null;
  const key = held && (held.id || held.getAttribute("href") || held.name);
  const open = new Set([...place.querySelectorAll("details[open][id]")].map(({ id }) => id));
  const ticked = new Set([...place.querySelectorAll("input[type=checkbox]:checked")].map(({ value }) => value));
  place.replaceChildren(...part.childNodes);
  for (const id of open) byId(id)?.setAttribute("open", "");
  for (const box of place.querySelectorAll("input[type=checkbox]")) box.checked = ticked.has(box.value);
  if (key) [...place.querySelectorAll("a, button, input, select")].find((one) => [one.id, one.getAttribute("href"), one.name].includes(key))?.focus();
}

setInterval(() => {
  if (document.hidden || under_way || document.body.dataset.still !== undefined) return;
  load(location.href, { quiet: true });
}, Number(document.body.dataset.every ?? EVERY_MS));

// ---- theme

const system = matchMedia("(prefers-color-scheme: dark)");
const theme = () => document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");

function labelTheme() {
  const other = theme() === "dark" ? "light" : "dark";
  byId("theme").hidden = false;
  byId("theme").textContent = other === "dark" ? "Dark" : "Light";
  byId("theme").setAttribute("aria-label", `Switch to the ${other} theme`);
}

byId("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
  localStorage.setItem("neuromfa-theme", theme());
  labelTheme();
});
system.addEventListener("change", labelTheme);
labelTheme();
say("fresh");
