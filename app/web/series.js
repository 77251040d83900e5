// Moving through the steps of a series: one chosen step, drawn once a frame, in the address once it stands still.

import { cancel, load } from "./live.js";

const PLAY_MS = 700;
const byId = (id) => document.getElementById(id);
const root = document.body.dataset.root;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const BY_STEP = ["readout", "spectrum", "bend", "tab"];

let data = JSON.parse(byId("data").textContent);
let at = Number(byId("scrub").value);
let frame = 0;
let player = null;
let curves = null;
let moved = null; // what follows the chosen step, found once after the parts changed

// ---- drawing one step

function followers() {
  const frames = (name) => part(name)?.querySelector("svg")?.dataset.frame?.split(" ").map(Number);
  return {
    lines: [...document.querySelectorAll(".panels .now")],
    cells: [...document.querySelectorAll("[data-number]")],
    names: [...document.querySelectorAll("[data-step-name]")],
    frames: { spectrum: frames("spectrum"), bend: frames("bend") },
    drawn: { spectrum: new Map(), bend: new Map() },
  };
}

function paint() {
  frame = 0;
  const x = data.x[at];
  moved ??= followers();
  for (const line of moved.lines) {
    if (x === null) line.setAttribute("display", "none");
    else {
      line.removeAttribute("display");
      line.setAttribute("transform", `translate(${x} 0)`);
    }
  }
  say(byId("step-name"), String(data.steps[at] ?? data.names[at]));
  byId("scrub").value = at;
  byId("scrub").setAttribute("aria-valuetext", data.names[at]);
  byId("previous").disabled = at === 0;
  byId("next").disabled = at === data.steps.length - 1;
  for (const cell of moved.cells) say(cell, figure(data.numbers[at][cell.dataset.number]));
  for (const name of moved.names) say(name, data.names[at]);
  paintCurves();
}

function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

function figure(value) {
  if (value === null) return "—";
  const size = Math.abs(value);
  const digits = size >= 10 ? 2 : size >= 0.1 ? 3 : size >= 0.01 ? 4 : size >= 0.001 ? 5 : size ? 6 : 3;
  return value.toFixed(digits).replace("-", "−");
}

function later() {
  frame ||= requestAnimationFrame(paint);
}

function move(place) {
  const next = Math.min(Math.max(place, 0), data.steps.length - 1);
  if (next === at) return;
  at = next;
  cancel();
  const known = curves?.has(data.steps[at]) ? Object.keys(moved?.frames ?? {}) : [];
  for (const name of BY_STEP) if (!known.includes(name)) part(name)?.classList.add("stale");
  later();
}

const part = (name) => document.querySelector(`[data-part="${name}"]`);

// ---- spectra of all steps, asked for when a person begins to move

async function wantCurves() {
  if (curves) return;
  curves = new Map();
  try {
    let cursor = null;
    do {
      const query = new URLSearchParams({ options: data.options, limit: 100, ...(cursor === null ? {} : { cursor }) });
      const model = encodeURIComponent(data.model.replaceAll("/", "--"));
      const answer = await fetch(`${root}v1/models/${model}/spectra?${query}`, { cache: "no-cache" });
      if (!answer.ok) throw new Error(answer.status);
      const listing = await answer.json();
      for (const { step, spectrum } of listing.items) curves.set(step, spectrum);
      cursor = listing.next;
      later();
    } while (cursor !== null);
  } catch {
    curves = null; // the curve of a step then comes with its other parts
  }
}

function paintCurves() {
  const spectrum = curves?.get(data.steps[at]);
  if (!spectrum) return;
  paintCurve("spectrum", () => {
    const pairs = (values) => values?.map((alpha, k) => [alpha, spectrum.f[k]]);
    return [spectrum.alpha, spectrum.alpha_low, spectrum.alpha_high].map(pairs);
  });
  paintCurve("bend", () => {
    const zero = spectrum.q.indexOf(0);
    const slope = spectrum.alpha[nearestZero(spectrum.alpha_q)];
    const bend = (values) => values?.map((tau, k) => [spectrum.q[k], tau - spectrum.tau[zero] - slope * spectrum.q[k]]);
    return [spectrum.tau, spectrum.tau_low, spectrum.tau_high].map(bend);
  });
}

const nearestZero = (values) => values.reduce((best, value, k) => (Math.abs(value) < Math.abs(values[best]) ? k : best), 0);

const tenth = (pixel) => Number(pixel.toFixed(1));

// The chosen curve of a picture as path data, made once for every step.
function paintCurve(name, made) {
  const place = part(name)?.querySelector(".chosen");
  if (!place || !moved.frames[name]) return;
  const known = moved.drawn[name];
  if (!known.has(at)) known.set(at, pathsOf(moved.frames[name], made()));
  const { curve, band } = known.get(at);
  place.querySelector(".curve")?.setAttribute("d", curve);
  if (band) place.querySelector(".band")?.setAttribute("d", band);
  part(name).classList.remove("stale");
}

function pathsOf([x0, x1, left, right, y0, y1, bottom, top], [points, low, high]) {
  const across = (x) => tenth(left + ((x - x0) / (x1 - x0)) * (right - left));
  const up = (y) => tenth(bottom + ((y - y0) / (y1 - y0)) * (top - bottom));
  const line = (ones) => ones.map(([x, y]) => `${across(x)},${up(y)}`).join("L");
  return { curve: `M${line(points)}`, band: low && high ? `M${line([...low, ...high.toReversed()])}Z` : null };
}

// ---- the address

function addressOf(place) {
  const address = new URL(location.href);
  address.searchParams.set("step", data.steps[place] ?? "-");
  return address;
}

// The step stands still: it goes into the address, and the parts that speak of one step are asked for.
async function settle({ keep = true } = {}) {
  const address = addressOf(at);
  if (keep && address.href !== location.href) history.pushState(null, "", address);
  if (await load(address.href)) for (const name of BY_STEP) part(name)?.classList.remove("stale");
}

function follow() {
  const asked = new URLSearchParams(location.search).get("step");
  const place = asked === null ? data.steps.length - 1 : data.steps.findIndex((step) => String(step ?? "-") === asked);
  if (place < 0) return location.reload();
  at = place;
  later();
  return settle({ keep: false });
}

// ---- playing

function play() {
  if (player) return stop();
  wantCurves();
  if (at === data.steps.length - 1) move(0);
  byId("play").textContent = "Pause";
  byId("play").setAttribute("aria-pressed", "true");
  player = setInterval(() => (at === data.steps.length - 1 ? stop() : move(at + 1)), calm.matches ? 2 * PLAY_MS : PLAY_MS);
}

function stop() {
  if (!player) return;
  clearInterval(player);
  player = null;
  byId("play").textContent = "Play";
  byId("play").setAttribute("aria-pressed", "false");
  settle();
}

// ---- a click into a panel chooses the nearest step

function pick(event) {
  const picture = event.target.closest?.(".panels svg.panel");
  if (!picture || !picture.closest('[data-part="panels"]')) return;
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  const distance = (k) => (data.x[k] === null ? Infinity : Math.abs(data.x[k] - point.x));
  const nearest = data.steps.reduce((best, _, k) => (distance(k) < distance(best) ? k : best), 0);
  move(nearest);
  settle();
}

// ---- wiring

byId("scrub").addEventListener("input", ({ target }) => { wantCurves(); move(Number(target.value)); });
byId("scrub").addEventListener("change", () => { if (!player) settle(); });
byId("previous").addEventListener("click", () => { stop(); move(at - 1); settle(); });
byId("next").addEventListener("click", () => { stop(); move(at + 1); settle(); });
byId("play").addEventListener("click", play);
document.addEventListener("click", pick);
addEventListener("popstate", (event) => { if (event.isTrusted) follow(); });
addEventListener("parts", ({ detail: page }) => {
  const step = data.steps[at];
  const wasLast = at === data.steps.length - 1 && !new URLSearchParams(location.search).has("step");
  data = JSON.parse(page.getElementById("data")?.textContent ?? "null") ?? data;
  const place = wasLast ? data.steps.length - 1 : data.steps.indexOf(step);
  byId("scrub").max = data.steps.length - 1;
  byId("stepper").hidden = data.steps.length < 2;
  if (place >= 0) at = place;
  moved = null;
  later();
});
later();
