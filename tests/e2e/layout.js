// What is wrong in the looks of a page: cut, laid over one another, empty, too small for a thumb (0: any size will do).
(thumb) => {
  const said = (one) => (one.textContent || one.ariaLabel || one.id || one.tagName).trim().replace(/\s+/g, " ").slice(0, 40);
  const seen = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".unseen, .skip") && !(one.closest("thead")?.clientWidth <= 1);
  const all = (which, inside = document) => [...inside.querySelectorAll(which)].filter(seen);
  const found = [];

  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    const out = all("main *").find((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroller"));
    found.push(`the page scrolls sideways: ${wide} of ${innerWidth}, ${said(out ?? document.body)}`);
  }

  for (const picture of all("svg.panel, svg.curves, svg.heat, svg.network, svg.spark")) {
    const name = picture.ariaLabel?.split(":")[0] ?? "a picture";
    const frame = picture.getBoundingClientRect();
    const texts = all("text", picture).map((one) => [said(one), one.getBoundingClientRect()]);
    if (!picture.querySelector(".curve, .point, .flagged, .cell, .spot, path")) found.push(`${name}: nothing is drawn`);
    texts.forEach(([words, a], k) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1)
        found.push(`${name}: “${words}” is cut`);
      if (a.height < 9) found.push(`${name}: “${words}” is ${a.height.toFixed(1)} px high`);
      for (const [other, b] of texts.slice(k + 1)) {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 0.5 && down > 2) found.push(`${name}: “${words}” lies over “${other}”`);
      }
    });
  }

  const inside = document.createRange();
  const blocks = "th, td, dt, dd, figcaption, h1, h2, h3, h4, .card > p, .notice p, .choices a, .tabs a, button, legend, .chip";
  for (const one of all(blocks).filter((each) => getComputedStyle(each).display !== "inline" && !each.querySelector(".unseen"))) {
    inside.selectNodeContents(one);
    const [own, words] = [one.getBoundingClientRect(), inside.getBoundingClientRect()];
    const out = Math.round(Math.max(words.right - own.right, own.left - words.left));
    if (words.width > 0 && out > 1) found.push(`“${said(one)}” runs ${out} px out of its place`);
  }

  const pressed = "button, summary, select, input:not([type=checkbox]), .choices a, .tabs a, .top nav a, tbody th a, .links a, label:has([type=checkbox])";
  for (const one of thumb ? all(pressed) : []) {
    const { width, height } = one.getBoundingClientRect();
    if (Math.min(width, height) < thumb) found.push(`“${said(one)}” is ${Math.round(width)} × ${Math.round(height)}, too small for a thumb`);
  }
  return [...new Set(found)];
}
