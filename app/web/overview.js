// The list of series: searched and sorted as one types, two to six ticked to compare. Without it the forms work too.

import { load } from "./live.js";

const PAUSE_MS = 200;
const [FEWEST, MOST] = [2, 6];
const byId = (id) => document.getElementById(id);
let pause = 0;

function look() {
  const words = new URLSearchParams([...new FormData(byId("find"))].filter(([, value]) => value));
  const address = new URL(`?${words}`, location.href);
  history.replaceState(null, "", address);
  load(address.href);
}

function count() {
  const ticked = document.querySelectorAll('#compare input[name="models"]:checked').length;
  const fits = ticked >= FEWEST && ticked <= MOST;
  byId("compare-them").disabled = !fits;
  const words = ticked > MOST ? `At most ${MOST} series are compared, ${ticked} are ticked.` : `${ticked} ticked.`;
  byId("ticked").textContent = ticked ? words : "Tick two to six series to compare them.";
}

byId("find")?.addEventListener("submit", (event) => { event.preventDefault(); look(); });
byId("find")?.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(look, PAUSE_MS); });
byId("compare")?.addEventListener("change", count);
addEventListener("parts", () => byId("compare") && count());
if (byId("compare")) count();
