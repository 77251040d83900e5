// Draws the Vega-Lite files of /charts: one card each, one highlighted step for all of them.

import { h, save } from "./dom.js";
import { csv, dimensionRows, metricRows, radarRows, spectrumRows, stepTicks } from "./rows.js";

const NO_STEP = -1;

export const CHARTS = [
  {
    name: "spectrum", source: "spectra", rows: spectrumRows, title: "Multifractal spectrum",
    note: "f over α for every step. The dot marks α₀, the whiskers the 95 % interval of α at whole q.",
  },
  {
    name: "emergence", source: "emergence", rows: (items) => metricRows(items, "emergence"), title: "Degree of emergence",
    note: "E = width(t)/width(0) · ln(α₀(0)/α₀(t)), beside three null models measured the same way.",
  },
  {
    name: "alpha0", source: "emergence", rows: (items) => metricRows(items, "alpha0"), title: "Regularity α₀",
    note: "Where the spectrum peaks: the mean fractal dimension of the neurons.",
  },
  {
    name: "width", source: "emergence", rows: (items) => metricRows(items, "width"), title: "Spectrum width",
    note: "α(−3) − α(3): how far the dimensions of neurons spread.",
  },
  {
    name: "tau", source: "spectra", rows: spectrumRows, title: "Mass exponent",
    note: "τ over q. A straight line would be a monofractal; its bend is the spectrum above.",
    toggle: { signal: "bend", name: "Bend only", meaning: "Take the straight line α₀q away, so that only the bend is left" },
  },
  {
    name: "nfd", source: "emergence", rows: dimensionRows, title: "Node fractal dimension",
    note: "How the dimensions of the neurons kept are spread in each kind of layer: median, quartiles, 5 to 95 %.",
  },
  {
    name: "radar", source: "emergence", rows: radarRows, title: "Measures and benchmarks",
    note: "Each axis from its lowest to its highest value over the steps. A loss is high where the model is bad.",
  },
];

const files = new Map();
const file = (name) => {
  if (!files.has(name)) files.set(name, fetch(`charts/${name}.json`).then((response) => response.json()));
  return files.get(name);
};

// Draws one chart file into a place; `values` are for the parameters the file has of those names.
export async function embed(plot, name, { rows, theme, values }) {
  plot.replaceChildren();
  const [spec, config] = await Promise.all([file(name), file(`theme-${theme}`)]);
  const params = spec.params.map((param) => ({ ...param, value: values[param.name] }));
  const result = await globalThis.vegaEmbed(plot, { ...spec, params, datasets: { rows } }, {
    config, ast: true, renderer: "svg", actions: false, defaultStyle: false, logLevel: globalThis.vega.Error,
    tooltip: { disableDefaultStyle: true, theme: "page" },
  });
  return result.view;
}

export class Chart {
  constructor(description, { onPick }) {
    this.description = description;
    this.onPick = onPick;
    this.view = null;
    this.rows = [];
    this.on = false;
    this.plot = h("div", { class: "plot" });
    this.json = h("a", { href: "#" }, "JSON");
    this.element = h("section", { class: `card card-${description.name}`, "aria-label": description.title },
      h("div", { class: "card-head" },
        h("div", {}, h("h2", {}, description.title), h("p", {}, description.note)),
        h("div", { class: "actions" }, this.toggle(),
          h("button", { class: "quiet", type: "button", "aria-label": `${description.title} as SVG`, onclick: () => this.saveSvg() }, "SVG"),
          h("button", { class: "quiet", type: "button", "aria-label": `${description.title} as CSV`, onclick: () => this.saveCsv() }, "CSV"),
          this.json)),
      this.plot);
    // Vega measures its container when the window changes; a longer text beside the chart changes it too.
    new ResizeObserver(() => dispatchEvent(new Event("resize"))).observe(this.plot);
    this.json.setAttribute("aria-label", `${description.title} as JSON`);
  }

  async draw({ items, scores, address, theme, series, empty }) {
    this.series = series;
    this.json.href = address;
    this.rows = this.description.rows(items, scores);
    this.view?.finalize();
    this.view = null;
    this.plot.replaceChildren();
    const drawable = this.rows.some((row) => row.value !== null);
    this.element.classList.toggle("is-empty", !drawable);
    this.element.hidden = this.rows.length === 0;
    if (!drawable) {
      this.plot.append(h("p", { class: "nothing" }, empty));
      return;
    }
    const values = { highlighted: this.step ?? NO_STEP, stepTicks: stepTicks(items.map((item) => item.step)), bend: this.on };
    this.view = await embed(this.plot, this.description.name, { rows: this.rows, theme, values });
    this.view.addEventListener("click", (_, item) => this.pick(item));
  }

  pick(item) {
    const step = item?.datum?.step;
    if (step !== undefined) this.onPick(step);
  }

  toggle() {
    const { toggle } = this.description;
    if (!toggle) return null;
    const switchIt = async ({ currentTarget: button }) => {
      this.on = !this.on;
      button.setAttribute("aria-pressed", String(this.on));
      await this.view?.signal(toggle.signal, this.on).runAsync();
    };
    return h("button", { class: "quiet", type: "button", "aria-pressed": "false", title: toggle.meaning, onclick: switchIt }, toggle.name);
  }

  async highlight(step) {
    this.step = step;
    await this.view?.signal("highlighted", step === undefined ? NO_STEP : step).runAsync();
  }

  async saveSvg() {
    if (this.view) save(`${this.fileName}.svg`, "image/svg+xml", await this.view.toSVG());
  }

  saveCsv() {
    save(`${this.fileName}.csv`, "text/csv", csv(this.rows));
  }

  get fileName() {
    return `${this.series.replaceAll("/", "--")}-${this.description.name}`;
  }
}
