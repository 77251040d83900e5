// The page: what is shown and when. One state, one highlighted step; the address holds both so that it can be sent on.

import { Problem, get, list, modelPath, rememberKey } from "./api.js";
import { benchmarks } from "./benchmarks.js";
import { CHARTS, Chart } from "./charts.js";
import { byId, h, save } from "./dom.js";
import { GraphView } from "./graph.js";
import { readout } from "./readout.js";
import { csv, tableRows } from "./rows.js";
import { table } from "./table.js";
import { checkpointName, stepName } from "./words.js";

const REFRESH_MS = 10_000;
const PLAY_MS = 700;

const state = { models: [], model: null, analysis: null, items: [], spectra: [], scores: [], at: 0, stamp: "" };
const charts = CHARTS.map((description) => new Chart(description, { onPick: pickStep }));
const system = matchMedia("(prefers-color-scheme: dark)");
const graph = new GraphView(byId("graph"));
let player = null;

// ---- address and theme

function readAddress() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(["model", "profile", "hops", "options", "step"].map((name) => [name, query.get(name)]));
}

function writeAddress() {
  const { profile, hops, options_hash: options } = state.analysis;
  const query = new URLSearchParams({ model: state.model.id, profile, hops, options: options.slice(0, 12) });
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
    h("p", {}, "The service itself is up: see the ", h("a", { href: "docs" }, "API reference"), ".")));
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
    const [models, ready] = await Promise.all([list("v1/models"), get("readyz").catch(() => null)]);
    state.models = models.items;
    if (ready) sayVersions(ready);
    if (!state.models.length) return sayEmpty();
    const wanted = readAddress();
    await open(state.models.find((model) => model.id === wanted.model) ?? state.models[0], wanted);
  } catch (problem) {
    sayProblem(problem);
  }
}

function sayVersions({ versions, store }) {
  byId("versions").textContent =
    `neuromfa ${versions.neuromfa} on ${store.engine} · numpy ${versions.numpy} · scipy ${versions.scipy}`;
}

async function open({ id }, wanted) {
  state.model = await get(modelPath(id));
  state.analysis = choose(state.model.analyses, wanted);
  await load(wanted.step);
}

function choose(analyses, { profile, hops, options }) {
  const fits = [
    (one) => options && one.options_hash.startsWith(options),
    (one) => one.profile === profile && one.hops === hops,
    (one) => one.profile === profile,
    (one) => one.profile === "exact" && one.hops === "1",
    () => true,
  ];
  return fits.map((fit) => analyses.find(fit)).find((one) => one) ?? null;
}

const parameters = () => ({ options: state.analysis.options_hash });

async function load(step = null) {
  stop();
  state.items = [];
  showControls();
  if (!state.analysis) return sayUnfinished();
  const path = modelPath(state.model.id);
  const [series, spectra, scores, correlations] = await Promise.all([
    list(`${path}/emergence`, parameters()), list(`${path}/spectra`, parameters()),
    list(`${path}/scores`), list(`${path}/correlations`, parameters())]);
  state.items = series.items;
  byId("verdict").textContent = series.verdict?.sentence ?? "These numbers have no verdict: measure them again with this version.";
  state.spectra = spectra.items;
  state.scores = scores.items;
  state.stamp = stampOf(series.items, scores.items);
  if (!state.items.length) return sayUnfinished();
  byId("message").replaceChildren();
  byId("content").hidden = false;
  showMadeWith();
  const found = state.items.findIndex((item) => String(item.step ?? "-") === step);
  state.at = found >= 0 ? found : state.items.length - 1;
  byId("table").replaceChildren(table(state.items, pickStep));
  byId("correlations").replaceChildren(...benchmarks(state.model.id, correlations.items));
  await drawCharts();
}

function stampOf(items, scores) {
  return JSON.stringify([items.map((item) => item.analysis_hash), scores]);
}

function sayUnfinished() {
  say(h("section", { class: "notice" }, h("h2", {}, "No step is measured yet"),
    h("p", {}, "This series is being written. The page fills in as steps arrive.")));
}

async function refresh() {
  if (document.hidden) return;
  try {
    if (!state.model || !state.items.length) return await start();
    const path = modelPath(state.model.id);
    const [series, scores] = await Promise.all([list(`${path}/emergence`, parameters()), list(`${path}/scores`)]);
    if (stampOf(series.items, scores.items) !== state.stamp) await load(String(state.items[state.at].step ?? "-"));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
  }
}

// ---- controls

function showControls() {
  byId("controls").hidden = false;
  byId("model").replaceChildren(...state.models.map(({ id }) => h("option", { value: id }, id)));
  byId("model").value = state.model.id;
  byId("made-with").textContent = "";
  if (!state.analysis) return;
  for (const part of ["profile", "hops"]) {
    const stored = new Set(state.model.analyses.map((analysis) => analysis[part]));
    for (const option of byId(part).options) option.disabled = !stored.has(option.value);
    byId(part).value = state.analysis[part];
    byId(part).disabled = stored.size < 2;
  }
  showOptions();
  byId("json-link").href = `${modelPath(state.model.id)}/emergence?${new URLSearchParams(parameters())}`;
}

function showOptions() {
  const alike = state.model.analyses.filter(({ profile, hops }) => profile === state.analysis.profile && hops === state.analysis.hops);
  byId("options-label").hidden = alike.length < 2;
  byId("options").replaceChildren(...alike.map((one) =>
    h("option", { value: one.options_hash }, `${optionWords(one.options)} (${one.options_hash.slice(0, 6)})`)));
  byId("options").value = state.analysis.options_hash;
}

function optionWords({ nodes, samples, max_distance: range, grid, baseline }) {
  const size = nodes === null ? "every neuron" : `${nodes} neurons a layer · ${samples} ${samples === 1 ? "sample" : "samples"}`;
  const rest = [grid === "fixed" ? "fixed radii" : "", baseline === "first" ? "" : `baseline ${baseline}`].filter(Boolean);
  return [size, `range ${range}`, ...rest].join(" · ");
}

function showMadeWith() {
  const steps = state.items.length;
  const options = byId("options-label").hidden ? ` · ${optionWords(state.analysis.options)}` : "";
  byId("made-with").textContent = `${steps} ${steps === 1 ? "checkpoint" : "checkpoints"}${options}`;
}

async function changed(wanted) {
  try {
    await open(wanted.model ?? state.model, { ...state.analysis, options: null, ...wanted });
  } catch (problem) {
    sayProblem(problem);
  }
}

// ---- the highlighted step

async function drawCharts() {
  const query = new URLSearchParams(parameters());
  await Promise.all(charts.map((chart) => chart.draw({
    items: chart.description.source === "spectra" ? state.spectra : state.items,
    scores: state.scores,
    address: `${modelPath(state.model.id)}/${chart.description.source}?${query}`,
    theme: theme(), series: state.model.id, empty: "No step has a value: there is no baseline to compare with.",
  })));
  await showStep();
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
  byId("stepper").hidden = state.items.length < 2;
  scrub.max = state.items.length - 1;
  scrub.value = state.at;
  scrub.setAttribute("aria-valuetext", checkpointName(item));
  byId("step-name").textContent = stepName(item);
  byId("previous").disabled = state.at === 0;
  byId("next").disabled = state.at === state.items.length - 1;
  byId("readout").replaceChildren(...readout(item, state.items));
  for (const row of byId("table").querySelectorAll("tbody tr")) row.toggleAttribute("aria-current", row.dataset.at === String(state.at));
  writeAddress();
  graph.show({ model: state.model.id, item, theme: theme() });
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
    changed({ model: state.models.find((model) => model.id === event.target.value) });
  });
  byId("profile").addEventListener("change", (event) => changed({ profile: event.target.value }));
  byId("hops").addEventListener("change", (event) => changed({ hops: event.target.value }));
  byId("options").addEventListener("change", (event) => changed({ options: event.target.value }));
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
