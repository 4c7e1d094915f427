// The page of the tab: a map for each run, first layer above, first step left.
//
// One colour scale for all runs and kinds: a scale of its own would show a vanished gradient
// as bright as any other. Lightness rises from end to end, so that it reads in grey, and for
// people who do not tell red from green; what is not finite is red, which is none of them.

const LOWEST = -8;
const HIGHEST = 1; // decades
const COLOURS = [
  "00224e", "123570", "3b496c", "575d6d", "707173",
  "8a8678", "a59c74", "c3b369", "e1cc55", "fee838",
].map((text) => [0, 2, 4].map((at) => parseInt(text.slice(at, at + 2), 16)));
const NOT_FINITE = [232, 0, 11];
const MISSING = [255, 255, 255];
const REFRESH = 30000; // milliseconds

const STYLE = `
  body { font: 13px/1.4 Roboto, sans-serif; margin: 16px; color: #212121; background: #fff; }
  h2 { font-size: 14px; margin: 20px 0 4px; }
  .map { display: flex; }
  .labels { width: 220px; position: relative; flex: none; }
  .labels span { position: absolute; right: 6px; white-space: nowrap; transform: translateY(-50%);
                 max-width: 210px; overflow: hidden; text-overflow: ellipsis; font-size: 11px; }
  canvas { image-rendering: pixelated; flex: auto; min-width: 0; width: 100%; cursor: crosshair; }
  .steps { display: flex; justify-content: space-between; margin-left: 220px; color: #616161; }
  .scale { display: flex; align-items: center; gap: 8px; margin: 12px 0; }
  .scale i { width: 270px; height: 12px; }
  #tip { position: fixed; background: #212121; color: #fff; padding: 4px 8px; border-radius: 3px;
         pointer-events: none; display: none; white-space: pre; z-index: 1; }
`;

export async function render() {
  document.head.append(element("style", {}, STYLE));
  const kinds = element("select", { id: "kind" });
  const maps = element("main");
  document.body.append(
    element("label", {}, "log10 of the ", kinds, " of each layer"),
    scale(),
    maps,
    element("div", { id: "tip" }),
  );
  let shown = "";
  const show = async () => {
    const answer = await fetch(`./maps?kind=${kinds.value || "gradient_norm"}`);
    const text = await answer.text();
    if (text === shown) return; // nothing new: what the pointer shows stays
    shown = text;
    const found = JSON.parse(text);
    if (!kinds.options.length) {
      kinds.append(...found.kinds.map((kind) => element("option", { value: kind }, kind.replace("_", " "))));
    }
    const runs = Object.entries(found.runs);
    maps.replaceChildren(...runs.map(([run, map]) => figure(run, map)));
    if (!runs.length) {
      maps.append("No run has such scalars yet: train with keras_arch.callbacks.GradientFlow.");
    }
  };
  kinds.addEventListener("change", show);
  await show();
  setInterval(show, REFRESH);
}

// What a run shows: its name, a label for every so many layers, its map, first and last step.
function figure(run, { layers, steps, values }) {
  const row = Math.max(3, Math.min(18, Math.round(480 / layers.length)));
  const canvas = element("canvas", { width: steps.length, height: layers.length });
  canvas.dataset.run = run;
  canvas.style.height = `${row * layers.length}px`;
  paint(canvas, values);
  canvas.addEventListener("mousemove", (event) => {
    const box = canvas.getBoundingClientRect();
    const at = (place, size, count) => Math.max(0, Math.min(count - 1, Math.floor((place / size) * count)));
    const y = at(event.clientY - box.top, box.height, layers.length);
    const x = at(event.clientX - box.left, box.width, steps.length);
    tip(event, `${layers[y]}\nstep ${steps[x]}\n${words(values[y][x])}`);
  });
  canvas.addEventListener("mouseleave", () => tip(null));
  const labels = element("div", { className: "labels" });
  const apart = Math.ceil(12 / row);
  layers.forEach((layer, index) => {
    if (index % apart) return;
    const label = element("span", { title: layer }, layer);
    label.style.top = `${(index + 0.5) * row}px`;
    labels.append(label);
  });
  const ends = [`step ${steps[0]}`, `${steps[steps.length - 1]}`];
  return element(
    "section", {},
    element("h2", {}, run),
    element("div", { className: "map" }, labels, canvas),
    element("div", { className: "steps" }, ...ends.map((end) => element("span", {}, end))),
  );
}

// One pixel for each layer and step; the browser makes it larger.
function paint(canvas, values) {
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(canvas.width, canvas.height);
  values.flat().forEach((value, index) => image.data.set([...colour(value), 255], 4 * index));
  pen.putImageData(image, 0, 0);
}

function colour(value) {
  if (value === null) return MISSING;
  if (value === "nan" || value === "inf") return NOT_FINITE;
  const decade = value === "-inf" ? LOWEST : Math.max(LOWEST, Math.min(HIGHEST, value));
  const place = ((decade - LOWEST) / (HIGHEST - LOWEST)) * (COLOURS.length - 1);
  const below = Math.min(Math.floor(place), COLOURS.length - 2);
  return COLOURS[below].map((part, c) => Math.round(part + (place - below) * (COLOURS[below + 1][c] - part)));
}

function words(value) {
  if (value === null) return "not recorded";
  if (value === "-inf") return "0";
  return typeof value === "string" ? value : `10^${value.toFixed(2)} = ${(10 ** value).toExponential(2)}`;
}

function scale() {
  const bar = element("i");
  const stops = COLOURS.map((parts) => `rgb(${parts})`).join(", ");
  bar.style.background = `linear-gradient(to right, ${stops})`;
  const red = element("i");
  Object.assign(red.style, { width: "12px", background: `rgb(${NOT_FINITE})` });
  return element("div", { className: "scale" }, `${LOWEST}`, bar, `${HIGHEST}`, red, "NaN or infinite");
}

function tip(event, text) {
  const box = document.getElementById("tip");
  box.style.display = event ? "block" : "none";
  if (!event) return;
  box.textContent = text;
  box.style.left = `${Math.min(event.clientX + 12, innerWidth - 240)}px`;
  box.style.top = `${event.clientY + 12}px`;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
