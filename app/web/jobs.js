// Jobs are started, cancelled and retried by the routes of /v1/jobs; what they answer is said, word for word.

import { load } from "./live.js";

const root = document.body.dataset.root;
const byId = (id) => document.getElementById(id);
const WAYS = { cancel: ["DELETE", ""], retry: ["POST", "/retry"] };
const OPTIONS = ["profile", "samples", "nodes"];

async function ask(path, method, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  const answer = await fetch(`${root}v1/jobs${path}`, { method, headers, body: body && JSON.stringify(body) });
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) return location.assign(`${root}key?then=/jobs`);
  if (!answer.ok) throw new Error(told.detail ?? `the service answers ${answer.status}`);
  return told;
}

async function carefully(work, done) {
  try {
    const told = await work();
    if (told) byId("said").textContent = done(told);
  } catch (error) {
    byId("said").textContent = error.message;
  }
  await load(location.href);
}

byId("start").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value));
  const options = { profile: given.profile, samples: Number(given.samples), nodes: given.nodes ? Number(given.nodes) : null };
  const body = Object.fromEntries(Object.entries(given).filter(([name]) => !OPTIONS.includes(name)));
  carefully(() => ask("", "POST", { ...body, options }), (job) => `Job ${job.id.slice(0, 8)} is ${job.status}.`);
});

document.addEventListener("click", ({ target }) => {
  const way = WAYS[target.dataset?.do];
  const id = target.closest("[data-job]")?.dataset.job;
  if (way && id) carefully(() => ask(`/${id}${way[1]}`, way[0]), (job) => `Job ${id.slice(0, 8)} is ${job.cancelling ? "being cancelled" : job.status}.`);
});

// ---- the units of a job, one checkpoint each

async function showUnits(details) {
  const place = details.querySelector("div");
  try {
    const { items } = await ask(`/${details.closest("[data-job]").dataset.job}/units?limit=1000`, "GET");
    const lines = items.map((unit) => `${unit.step === null ? unit.revision ?? "no step" : `step ${unit.step}`}: ${unit.status}${unit.sentence ? `, ${unit.sentence}` : ""}`);
    place.replaceChildren(...(lines.length ? lines : ["No worker has listed them yet."]).map((words) => Object.assign(document.createElement("p"), { textContent: words })));
  } catch (error) {
    place.textContent = error.message;
  }
}

document.addEventListener("toggle", ({ target }) => { if (target.matches?.("details.units[open]")) showUnits(target); }, true);
addEventListener("parts", () => document.querySelectorAll("details.units[open]").forEach(showUnits));
