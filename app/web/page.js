// The page: what is shown and when. One state, one highlighted step; the address holds both so that it can be sent on.

import { Problem, get, list, modelPath, rememberKey } from "./api.js";
import { CHARTS, Chart } from "./charts.js";
import { byId, h, save } from "./dom.js";
import { readout } from "./readout.js";
import { csv, tableRows } from "./rows.js";
import { table } from "./table.js";
import { checkpointName, stepName } from "./words.js";

const REFRESH_MS = 10_000;
const PLAY_MS = 700;

const state = { models: [], model: null, variant: { profile: "exact", hops: "1" }, items: [], spectra: [], at: 0, stamp: "" };
const charts = CHARTS.map((description) => new Chart(description, { onPick: pickStep }));
const system = matchMedia("(prefers-color-scheme: dark)");
let player = null;

// ---- address and theme

function readAddress() {
  const query = new URLSearchParams(location.search);
  return { model: query.get("model"), profile: query.get("profile"), hops: query.get("hops"), step: query.get("step") };
}

function writeAddress() {
  const query = new URLSearchParams({ model: state.model.id, ...state.variant });
  if (state.items.length) query.set("step", state.items[state.at].step ?? "-");
  history.replaceState(null, "", `?${query}`);
}

function theme() {
  return document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");
}

function labelTheme() {
  const other = theme() === "dark" ? "light" : "dark";
  byId("theme").textContent = other === "dark" ? "Dark" : "Light";
  byId("theme").setAttribute("aria-label", `Switch to the ${other} theme`);
}

function switchTheme() {
  const other = theme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = other;
  localStorage.setItem("neuromfa-theme", other);
  themeChanged();
}

function themeChanged() {
  labelTheme();
  if (state.items.length) drawCharts();
}

// ---- states without numbers

function say(...children) {
  byId("message").replaceChildren(...children);
  byId("content").hidden = true;
}

function sayLoading() {
  say(h("div", { class: "loading", "aria-label": "Loading", "aria-busy": "true" }, h("div"), h("div"), h("div")));
}

function sayEmpty() {
  byId("controls").hidden = true;
  say(h("section", { class: "notice" },
    h("h2", {}, "Nothing is stored yet"),
    h("p", {}, "Point the command line at a folder of checkpoints (step0, step512 …) or a Hugging Face id; this page fills in as steps arrive."),
    h("pre", {}, "neuromfa ingest path/to/checkpoints\n\n# or everything on the bundled series\nneuromfa demo"),
    h("p", {}, "The service itself is up: see the ", h("a", { href: "/docs" }, "API reference"), ".")));
}

function sayProblem(problem) {
  if (problem.status === 401) return sayKeyNeeded();
  say(h("section", { class: "notice bad", role: "alert" },
    h("h2", {}, problem.title ?? "Something went wrong"),
    h("p", {}, problem.message),
    h("p", {}, h("button", { class: "quiet", type: "button", onclick: start }, "Try again"))));
}

function sayKeyNeeded() {
  const field = h("input", { type: "password", id: "key", autocomplete: "current-password", required: true });
  const submit = (event) => {
    event.preventDefault();
    rememberKey(field.value);
    start();
  };
  say(h("section", { class: "notice" },
    h("h2", {}, "This service asks for a key"),
    h("p", {}, "It is the value of NEUROMFA_API_KEY where the service runs. It stays in this tab."),
    h("form", { onsubmit: submit }, h("label", { for: "key" }, "Key "), field,
      h("button", { class: "quiet", type: "submit" }, "Open"))));
}

// ---- loading

async function start() {
  sayLoading();
  try {
    const [models, ready] = await Promise.all([list("/v1/models"), get("/readyz").catch(() => null)]);
    state.models = models.items;
    if (ready) sayVersions(ready);
    if (!state.models.length) return sayEmpty();
    const wanted = readAddress();
    state.model = state.models.find((model) => model.id === wanted.model) ?? state.models[0];
    chooseVariant(wanted);
    await load(wanted.step);
  } catch (problem) {
    sayProblem(problem);
  }
}

function sayVersions({ versions, store }) {
  byId("versions").textContent =
    `neuromfa ${versions.neuromfa} on ${store.engine} · numpy ${versions.numpy} · scipy ${versions.scipy}`;
}

function variantsOf(model) {
  return model.variants.length ? model.variants : [{ profile: "exact", hops: "1" }];
}

function chooseVariant({ profile, hops }) {
  const variants = variantsOf(state.model);
  state.variant = variants.find((one) => one.profile === profile && one.hops === hops)
    ?? variants.find((one) => one.profile === profile) ?? variants[0];
  state.variant = { profile: state.variant.profile, hops: state.variant.hops };
}

async function load(step = null) {
  stop();
  showControls();
  const path = modelPath(state.model.id);
  const [series, spectra] = await Promise.all([
    list(`${path}/emergence`, state.variant), list(`${path}/spectra`, state.variant)]);
  state.items = series.items;
  state.spectra = spectra.items;
  state.stamp = stampOf(series.items);
  if (!state.items.length) return sayUnfinished();
  byId("message").replaceChildren();
  byId("content").hidden = false;
  showMadeWith();
  const found = state.items.findIndex((item) => String(item.step ?? "-") === step);
  state.at = found >= 0 ? found : state.items.length - 1;
  byId("table").replaceChildren(table(state.items, pickStep));
  await drawCharts();
}

function stampOf(items) {
  return items.map((item) => item.analysis_hash).join();
}

function sayUnfinished() {
  say(h("section", { class: "notice" }, h("h2", {}, "No step is measured yet"),
    h("p", {}, "This series is being written. The page fills in as steps arrive.")));
}

async function refresh() {
  if (document.hidden) return;
  try {
    if (!state.model || !state.items.length) return await start();
    const series = await list(`${modelPath(state.model.id)}/emergence`, state.variant);
    if (stampOf(series.items) !== state.stamp) await load(String(state.items[state.at].step ?? "-"));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
  }
}

// ---- controls

function showControls() {
  byId("controls").hidden = false;
  byId("model").replaceChildren(...state.models.map(({ id }) => h("option", { value: id }, id)));
  byId("model").value = state.model.id;
  for (const part of ["profile", "hops"]) {
    const stored = new Set(variantsOf(state.model).map((variant) => variant[part]));
    for (const option of byId(part).options) option.disabled = !stored.has(option.value);
    byId(part).value = state.variant[part];
    byId(part).disabled = stored.size < 2;
  }
  byId("json-link").href = `${modelPath(state.model.id)}/emergence?${new URLSearchParams(state.variant)}`;
}

function showMadeWith() {
  const seeds = Math.max(...state.items.map((item) => item.samples));
  const steps = state.items.length;
  byId("made-with").textContent = `${steps} ${steps === 1 ? "checkpoint" : "checkpoints"} · ${seeds} ${seeds === 1 ? "sample" : "samples"} each`;
}

async function changed(wanted) {
  try {
    chooseVariant(wanted);
    await load();
  } catch (problem) {
    sayProblem(problem);
  }
}

// ---- the highlighted step

async function drawCharts() {
  const query = new URLSearchParams(state.variant);
  await Promise.all(charts.map((chart) => chart.draw({
    items: chart.description.source === "spectra" ? state.spectra : state.items,
    address: `${modelPath(state.model.id)}/${chart.description.source}?${query}`,
    theme: theme(), series: state.model.id, empty: whyEmpty(),
  })));
  await showStep();
}

function whyEmpty() {
  if (state.items.every((item) => item.step === null)) return "This checkpoint has no step: there is no course of training to draw.";
  return "No step has a value: there is no baseline to compare with.";
}

function pickStep(step) {
  const found = state.items.findIndex((item) => item.step === step);
  if (found >= 0) moveTo(found);
}

function moveTo(place) {
  state.at = Math.min(Math.max(place, 0), state.items.length - 1);
  return showStep();
}

async function showStep() {
  const item = state.items[state.at];
  const scrub = byId("scrub");
  scrub.max = state.items.length - 1;
  scrub.value = state.at;
  scrub.disabled = state.items.length < 2;
  scrub.setAttribute("aria-valuetext", checkpointName(item));
  byId("step-name").textContent = stepName(item);
  byId("previous").disabled = state.at === 0;
  byId("next").disabled = state.at === state.items.length - 1;
  byId("readout").replaceChildren(...readout(item, state.items));
  for (const row of byId("table").querySelectorAll("tbody tr")) row.toggleAttribute("aria-current", row.dataset.at === String(state.at));
  writeAddress();
  await Promise.all(charts.map((chart) => chart.highlight(item.step)));
}

function play() {
  if (player) return stop();
  if (state.at === state.items.length - 1) moveTo(0);
  byId("play").textContent = "Pause";
  byId("play").setAttribute("aria-pressed", "true");
  player = setInterval(() => (state.at === state.items.length - 1 ? stop() : moveTo(state.at + 1)), PLAY_MS);
}

function stop() {
  clearInterval(player);
  player = null;
  byId("play").textContent = "Play";
  byId("play").setAttribute("aria-pressed", "false");
}

// ---- wiring

function wire() {
  const grid = byId("charts");
  grid.append(charts[0].element, byId("readout"), ...charts.slice(1).map((chart) => chart.element));
  byId("theme").addEventListener("click", switchTheme);
  system.addEventListener("change", themeChanged);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("model").addEventListener("change", (event) => {
    state.model = state.models.find((model) => model.id === event.target.value);
    changed(state.variant);
  });
  byId("profile").addEventListener("change", (event) => changed({ ...state.variant, profile: event.target.value }));
  byId("hops").addEventListener("change", (event) => changed({ ...state.variant, hops: event.target.value }));
  byId("scrub").addEventListener("input", (event) => { stop(); moveTo(Number(event.target.value)); });
  byId("previous").addEventListener("click", () => { stop(); moveTo(state.at - 1); });
  byId("next").addEventListener("click", () => { stop(); moveTo(state.at + 1); });
  byId("play").addEventListener("click", play);
  byId("table-csv").addEventListener("click", () =>
    save(`${state.model.id.replaceAll("/", "--")}.csv`, "text/csv", csv(tableRows(state.items))));
}

labelTheme();
wire();
start();
setInterval(refresh, REFRESH_MS);
