// The stored graph of the highlighted step: the strongest edges of one block, and one neuron followed over training.

import { Problem, get, modelPath } from "./api.js";
import { embed } from "./charts.js";
import { fact, h, save } from "./dom.js";
import { graphRows, windowsOf } from "./rows.js";
import { checkpointName, fixed } from "./words.js";

const COLUMNS = [
  ["Step", ""], ["Dim.", "Node fractal dimension"], ["Out", "Weighted edges in range, outgoing"], ["Σ|w|", "Sum of their weights’ sizes"],
  ["In", "Weighted edges in range, incoming"], ["Σ|w|", "Sum of their weights’ sizes"],
];
const SIZES = [10, 30, 100];
const number = (value) => (value === null ? "—" : fixed(value));

export class GraphView {
  constructor(element) {
    this.element = element;
    this.view = null;
    this.asked = 0;
    this.seen = false;
    this.chosen = "";
    this.plot = h("div", { class: "plot" });
    this.panel = h("div", { class: "neuron", "aria-live": "polite" });
    this.links = ["json", "graphml", "gexf"].map((form) => h("a", { href: "#", "aria-label": `Graph as ${form}` }, form.toUpperCase()));
    this.part = h("select", { name: "part", onchange: () => this.load() });
    this.top = h("select", { name: "top", onchange: () => this.load() }, SIZES.map((n) => h("option", { value: n }, `${n} strongest edges a link`)));
    this.seed = h("select", { name: "seed", onchange: () => this.load() });
    this.neuron = h("select", { name: "neuron", onchange: () => this.choose(this.neuron.value) });
    this.seedLabel = h("label", {}, "Sample ", this.seed);
    element.append(
      h("div", { class: "card-head" },
        h("div", {}, h("h2", {}, "The sampled graph"), h("p", {},
          "Layers from left to right; thick means near, dashed is wiring, which has no weight. A seed picks the same neurons at every step.")),
        h("div", { class: "actions" },
          h("button", { class: "quiet", type: "button", "aria-label": "Graph as SVG", onclick: () => this.saveSvg() }, "SVG"), this.links)),
      h("form", { class: "controls", onsubmit: (event) => event.preventDefault() },
        h("label", {}, "Part ", this.part), h("label", {}, "Shown ", this.top), this.seedLabel, h("label", {}, "Neuron ", this.neuron)),
      h("div", { class: "graph-body" }, this.plot, this.panel));
    this.top.value = SIZES[1];
    new IntersectionObserver(([entry]) => this.sawIt(entry.isIntersecting), { rootMargin: "200px" }).observe(element);
  }

  // Drawn only once it is seen: a graph is a question to the store.
  sawIt(visible) {
    if (!visible || this.seen) return;
    this.seen = true;
    if (this.item) this.load();
  }

  show({ model, item, theme }) {
    const changed = model !== this.model || item.step !== this.item?.step || theme !== this.theme;
    if (model !== this.model) this.chosen = "";
    Object.assign(this, { model, item, theme });
    if (this.seen && changed) return this.load();
    return null;
  }

  get path() {
    return `${modelPath(this.model)}/checkpoints/${this.item.step ?? "-"}/samples`;
  }

  async load() {
    const asked = ++this.asked;
    try {
      const { items: samples } = await get(`${this.path}?limit=1000`);
      if (asked !== this.asked) return;
      this.element.classList.toggle("is-empty", samples.length === 0);
      if (!samples.length) return this.sayNone();
      const sample = this.fill(samples);
      const [first, last] = this.part.value.split("-").map(Number);
      const question = new URLSearchParams({ layers: `${first}-${last}`, top: this.top.value });
      const address = `${this.path}/${sample.seed}/graph?${question}`;
      const drawing = await get(address);
      if (asked !== this.asked) return;
      this.links.forEach((link) => { link.href = `${address}&format=${link.textContent.toLowerCase()}`; });
      await this.draw(drawing, sample);
    } catch (problem) {
      this.sayProblem(problem);
    }
  }

  sayNone() {
    this.view?.finalize();
    this.view = null;
    this.panel.replaceChildren();
    this.plot.replaceChildren(h("p", { class: "nothing" }, `No graph is stored of ${checkpointName(this.item)}: ingest with --graph-samples 1 or more.`));
  }

  sayProblem(problem) {
    if (!(problem instanceof Problem)) throw problem;
    this.panel.replaceChildren(h("p", { class: "flag", role: "alert" }, problem.message));
  }

  fill(samples) {
    const chosen = samples.find((sample) => String(sample.seed) === this.seed.value) ?? samples[0];
    options(this.seed, samples.map(({ seed }) => [seed, `seed ${seed}`]), chosen.seed);
    this.seedLabel.hidden = samples.length < 2;
    const windows = windowsOf(chosen.layers);
    const kept = windows.find(({ value }) => value === this.part.value) ?? windows[0];
    options(this.part, windows.map(({ value, label }) => [value, label]), kept.value);
    return chosen;
  }

  async draw(drawing, sample) {
    this.view?.finalize();
    this.rows = graphRows(drawing, sample.layers);
    options(this.neuron, [["", "choose one"], ...drawing.neurons.map(({ name }) => [name, name])], this.chosen);
    this.view = await embed(this.plot, "graph", { rows: this.rows, theme: this.theme, values: { chosen: this.chosen } });
    this.view.addEventListener("click", (_, item) => item?.datum?.part === "neuron" && this.choose(item.datum.name));
    await this.follow();
  }

  async choose(name) {
    this.chosen = name;
    this.neuron.value = [...this.neuron.options].some((option) => option.value === name) ? name : "";
    await this.view?.signal("chosen", name).runAsync();
    await this.follow();
  }

  async follow() {
    if (!this.chosen) return this.panel.replaceChildren(h("p", { class: "none" }, "Choose a neuron to see its edges and how they change over training."));
    const [seed, name] = [this.seed.value, this.chosen];
    try {
      const [detail, path] = await Promise.all([
        get(`${this.path}/${seed}/neurons/${encodeURIComponent(name)}?top=5`),
        get(`${modelPath(this.model)}/trajectory?${new URLSearchParams({ neuron: name, seed })}`)]);
      if (name === this.chosen) this.panel.replaceChildren(...this.told(detail, path));
    } catch (problem) {
      if (problem.status !== 404) return this.sayProblem(problem);
      this.panel.replaceChildren(h("p", { class: "none" }, problem.message));
    }
  }

  told({ neuron, strongest_in: into, strongest_out: outOf }, { points }) {
    return [
      h("h3", {}, neuron.name),
      h("dl", { class: "facts" }, fact("Kind of layer", neuron.kind), fact("Unit in the model", String(neuron.index)),
        fact("Fractal dimension", number(neuron.nfd)), fact("the same, own radii", number(neuron.nfd_own))),
      h("h4", {}, "Over training"),
      h("div", { class: "scroller", role: "region", "aria-label": "The neuron over training", tabindex: 0 }, h("table", {},
        h("thead", {}, h("tr", {}, COLUMNS.map(([name, title]) => h("th", { scope: "col", title }, name)))),
        h("tbody", {}, points.map((point) => h("tr", { "aria-current": point.step === this.item.step },
          h("th", { scope: "row" }, String(point.step ?? "-")), h("td", {}, number(point.nfd)),
          h("td", {}, String(point.edges_out)), h("td", {}, fixed(point.strength_out, 2)),
          h("td", {}, String(point.edges_in)), h("td", {}, fixed(point.strength_in, 2))))))),
      ...this.edges("Strongest to", outOf, "target"), ...this.edges("Strongest from", into, "source"),
    ];
  }

  edges(title, edges, end) {
    if (!edges.length) return [];
    return [h("h4", {}, title), h("ul", { class: "edges" }, edges.map((edge) => h("li", {},
      h("button", { class: "quiet", type: "button", onclick: () => this.choose(edge[end]) }, edge[end]), h("span", {}, fixed(edge.weight)))))];
  }

  async saveSvg() {
    if (this.view) save(`${this.model.replaceAll("/", "--")}-graph.svg`, "image/svg+xml", await this.view.toSVG());
  }
}

function options(select, pairs, value) {
  select.replaceChildren(...pairs.map(([name, label]) => h("option", { value: name }, label)));
  select.value = pairs.some(([name]) => String(name) === String(value)) ? value : pairs[0][0];
}
