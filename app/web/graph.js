// The ball of the chosen neuron grows with the radius: what lies within is filled. Arrow keys and a button move it.

const byId = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const GROWS_MS = 4000;
const REACH_PX = 24;

function show(radius) {
  let within = 0;
  for (const spot of document.querySelectorAll(".spot")) {
    const inside = spot.dataset.distance !== undefined && Number(spot.dataset.distance) <= radius;
    spot.classList.toggle("outside", !inside);
    within += inside;
  }
  byId("radius-value").textContent = String(Math.round(radius));
  byId("within").textContent = `${within} of the neurons drawn lie within ${Math.round(radius)}.`;
}

function grow() {
  const slider = byId("radius");
  if (calm.matches) return show(Number(slider.max));
  const start = performance.now();
  const step = (now) => {
    const share = Math.min((now - start) / GROWS_MS, 1);
    slider.value = 1 + share * (slider.max - 1);
    show(Number(slider.value));
    if (share < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

// A tap beside the neurons chooses the nearest: on a phone they are smaller than a thumb.
function nearest({ target, clientX, clientY }) {
  const picture = target.closest?.("svg.network");
  if (!picture || target.closest("a")) return null;
  let [found, best] = [null, REACH_PX];
  for (const spot of picture.querySelectorAll(".spot")) {
    const { left, top, width, height } = spot.getBoundingClientRect();
    const away = Math.hypot(left + width / 2 - clientX, top + height / 2 - clientY);
    if (away < best) [found, best] = [spot, away];
  }
  return found;
}

document.addEventListener("click", (event) => {
  const address = nearest(event)?.closest("a").getAttribute("href");
  if (address) location.assign(address);
});
document.addEventListener("input", ({ target }) => { if (target.id === "radius") show(Number(target.value)); });
document.addEventListener("click", ({ target }) => { if (target.id === "grow") grow(); });
const start = () => { if (byId("radius")) show(Number(byId("radius").value)); };
addEventListener("parts", start);
start();
