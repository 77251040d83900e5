// Charts to take away: the shared Vega-Lite files, loaded only when somebody asks for one; title, options and version go along.

import { save } from "./save.js";
import { csv, dimensionRows, metricRows, spectrumRows, stepTicks } from "./rows.js";

const root = document.body.dataset.root;
const here = new URL(".", import.meta.url);
const NO_STEP = -1;
const CHARTS = {
  spectrum: { from: "spectra", rows: spectrumRows },
  tau: { from: "spectra", rows: spectrumRows },
  emergence: { from: "emergence", rows: (items) => metricRows(items, "emergence") },
  alpha0: { from: "emergence", rows: (items) => metricRows(items, "alpha0") },
  width: { from: "emergence", rows: (items) => metricRows(items, "width") },
  nfd: { from: "emergence", rows: dimensionRows },
};
const [WIDTH, HEIGHT] = [720, 400];

const data = () => JSON.parse(document.getElementById("data").textContent);

async function items(kind) {
  const { model, options } = data();
  const found = [];
  let cursor = null;
  do {
    const query = new URLSearchParams({ options, ...(cursor === null ? {} : { cursor }) });
    const answer = await fetch(`${root}v1/models/${encodeURIComponent(model.replaceAll("/", "--"))}/${kind}?${query}`);
    if (!answer.ok) throw new Error(`the service answers ${answer.status}`);
    const listing = await answer.json();
    found.push(...listing.items);
    cursor = listing.next;
  } while (cursor !== null);
  return found;
}

async function library() {
  for (const name of ["vega", "vega-lite", "vega-embed"]) {
    await new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: new URL(`vendor/${name}.min.js`, here), onload: done });
      script.addEventListener("error", () => failed(new Error(`${name} could not be loaded`)));
      document.head.append(script);
    });
  }
}

const json = async (name) => (await fetch(`${root}charts/${name}.json`)).json();

async function picture(name, rows, listed) {
  if (!globalThis.vegaEmbed) await library();
  const [spec, config] = await Promise.all([json(name), json("theme-light")]);
  const values = { highlighted: data().steps[Number(document.getElementById("scrub").value)] ?? NO_STEP, stepTicks: stepTicks(listed.map(({ step }) => step)), bend: name === "tau" };
  const params = spec.params.map((param) => ({ ...param, value: values[param.name] }));
  const place = document.createElement("div");
  const { title, subtitle } = document.getElementById("exports").dataset;
  const whole = { ...spec, params, width: WIDTH, height: HEIGHT, title: { text: title, subtitle }, datasets: { rows } };
  const result = await globalThis.vegaEmbed(place, whole, { config, ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: false });
  const text = await result.view.toSVG();
  result.finalize();
  return text;
}

async function take({ target }) {
  const { chart, form } = target.dataset;
  if (!chart) return;
  const said = document.getElementById("export-state");
  said.textContent = "Making it …";
  target.disabled = true;
  try {
    const listed = await items(CHARTS[chart].from);
    const rows = CHARTS[chart].rows(listed);
    const name = `${data().model.replaceAll("/", "--")}-${chart}.${form}`;
    if (form === "csv") save(name, "text/csv", csv(rows));
    else save(name, "image/svg+xml", await picture(chart, rows, listed));
    said.textContent = `Saved as ${name}.`;
  } catch (error) {
    said.textContent = `It could not be made: ${error.message}.`;
  } finally {
    target.disabled = false;
  }
}

document.getElementById("exports").addEventListener("click", take);
