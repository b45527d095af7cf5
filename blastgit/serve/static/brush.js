// Dragging over the plot of two runs chooses transients: the table then shows just those.
"use strict";
for (const plot of document.querySelectorAll(".brush svg.plot")) {
  const points = [...plot.querySelectorAll(".pick")];
  const rows = [...document.querySelectorAll("#picked tbody tr")];
  if (!points.length) continue;
  const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  box.setAttribute("class", "brushed");
  plot.append(box);
  let from = null;
  const place = (event) => { const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse()); return [p.x, p.y]; };
  const choose = (names) => { for (const row of rows) row.hidden = names !== null && !names.has(row.dataset.name); };
  plot.addEventListener("pointerdown", (event) => { from = place(event); plot.setPointerCapture(event.pointerId); event.preventDefault(); });
  plot.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event);
    const [x, y, w, h] = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    for (const [key, value] of Object.entries({ x, y, width: w, height: h })) box.setAttribute(key, value);
    const names = new Set();
    for (const point of points) {
      const dot = point.querySelector("circle"), cx = dot.cx.baseVal.value, cy = dot.cy.baseVal.value;
      const isIn = cx >= x && cx <= x + w && cy >= y && cy <= y + h;
      point.classList.toggle("chosen", isIn);
      if (isIn) names.add(point.dataset.name);
    }
    choose(w > 3 && h > 3 ? names : null);
  });
  plot.addEventListener("pointerup", () => { from = null; });
}
