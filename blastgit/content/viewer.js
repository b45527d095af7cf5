// Two images over each other: blink (b), wipe (w), difference (d), side by side (s); the sky and the pixel under the pointer.
"use strict";
for (const viewer of document.querySelectorAll(".viewer")) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const [older, newer] = ["old", "new"].map((side) => viewer.querySelector(`figure.${side}`));
  const output = viewer.querySelector("output");
  const slider = viewer.querySelector(".wipe");
  const facts = viewer.dataset;
  let timer = 0;

  const turn = (showsNew) => { newer?.classList.toggle("off", !showsNew); older?.classList.toggle("off", showsNew); };
  const show = (mode) => {
    clearInterval(timer);
    viewer.dataset.mode = mode;
    for (const button of viewer.querySelectorAll(".seg button")) button.setAttribute("aria-pressed", String(button.value === mode));
    if (newer) newer.style.clipPath = "";
    turn(true);
    older?.classList.remove("off");
    if (mode === "blink") {
      turn(true);
      if (!still.matches) timer = setInterval(() => turn(newer.classList.contains("off")), 600);
    }
    if (mode === "wipe") wipe();
  };
  const wipe = () => { newer.style.clipPath = `inset(0 0 0 ${slider.value}%)`; };

  if (older && newer) {
    viewer.classList.add("live");
    for (const button of viewer.querySelectorAll(".seg button")) {
      button.addEventListener("click", () => {
        if (button.value === "blink" && viewer.dataset.mode === "blink") turn(newer.classList.contains("off"));
        else show(button.value);
      });
    }
    slider?.addEventListener("input", wipe);
    viewer.tabIndex = 0;
    viewer.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const mode = { b: "blink", w: "wipe", d: "difference", s: "side" }[event.key];
      if (!mode) return;
      event.preventDefault();
      if (mode === "blink" && viewer.dataset.mode === "blink") turn(newer.classList.contains("off"));
      else show(mode);
    });
  }

  // the sky under the pointer, by the gnomonic projection
  const [height, width, factor] = [facts.height, facts.width, facts.factor].map(Number);
  const wcs = facts.wcs ? JSON.parse(facts.wcs) : null;
  const sky = (x, y) => {
    const [a, b, c, d] = wcs.cd, rad = Math.PI / 180, dx = x - wcs.x, dy = y - wcs.y;
    const xi = (a * dx + b * dy) * rad, eta = (c * dx + d * dy) * rad, zero = wcs.dec_deg * rad;
    const down = Math.cos(zero) - eta * Math.sin(zero);
    const ra = wcs.ra_deg + Math.atan2(xi, down) / rad;
    const dec = Math.atan2(Math.sin(zero) + eta * Math.cos(zero), Math.hypot(xi, down)) / rad;
    return [((ra % 360) + 360) % 360, dec];
  };
  const values = {};
  const load = async (side) => {
    const address = side === "new" ? facts.newValues : facts.oldValues;
    if (!address || values[side] !== undefined) return;
    values[side] = null;
    const answer = await fetch(address);
    if (answer.ok) values[side] = new Float32Array(await answer.arrayBuffer());
  };
  if (output && width) {
    viewer.addEventListener("pointermove", (event) => {
      const box = event.target.closest(".px");
      if (!box) return;
      load("old"); load("new");
      const place = box.getBoundingClientRect(), side = Math.max(width, height), scale = side / place.width;
      const x = (event.clientX - place.left) * scale - (side - width) / 2 + 0.5;
      const y = height - ((event.clientY - place.top) * scale - (side - height) / 2) + 0.5;
      if (x < 0.5 || y < 0.5 || x > width + 0.5 || y > height + 0.5) { output.textContent = ""; return; }
      const at = Math.floor((Math.round(y) - 1) / factor) * Math.ceil(width / factor) + Math.floor((Math.round(x) - 1) / factor);
      const told = [`x ${Math.round(x)}, y ${Math.round(y)}`];
      if (wcs) { const [ra, dec] = sky(x, y); told.push(`RA ${ra.toFixed(5)}°, Dec ${dec.toFixed(5)}°`); }
      for (const key of ["old", "new"]) if (values[key]) told.push(`${facts[`${key}Label`] ?? ""} ${Number(values[key][at]).toPrecision(4)} ${facts.unit ?? ""}`.trim());
      output.textContent = told.join("   ");
    });
  }
}
