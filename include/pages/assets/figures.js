// Draws the evidence at one threshold: numbers, curves, confusion table and images. All text goes in as text.

const SVG = "http://www.w3.org/2000/svg";
const BOX = { width: 640, height: 280, left: 44, right: 12, top: 12, bottom: 30 };

export function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function drawn(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Thresholds below the lowest let everything pass, as it does itself.
export function placeOf(thresholds, threshold) {
  return Math.round(100 * Math.max(threshold, thresholds[0])) - Math.round(100 * thresholds[0]);
}

export function percent(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)} %` : "–";
}

export function showNumbers(evidence, place) {
  const { test, traffic } = evidence;
  const rows = [
    ["accepted", "of the test images are accepted", percent(test.accepted[place], test.count)],
    ["accuracy", "of the accepted are right", percent(test.right[place], test.accepted[place])],
    ["refused", `of the ${traffic.requests} requests of the last days would have been refused`,
      String(traffic.requests - traffic.accepted[place])],
  ];
  if (traffic.labelled) {
    rows.push(["traffic-accuracy", "of the accepted requests with a known class were right",
      percent(traffic.labelled_right[place], traffic.labelled_accepted[place])]);
  }
  document.querySelector("#numbers").replaceChildren(...rows.map(([id, label, value]) => {
    const row = element("div");
    row.append(element("dt", label), element("dd", value, { id }));
    return row;
  }));
}

function scale(lowest) {
  return (threshold) => BOX.left + ((threshold - lowest) / (1 - lowest)) * (BOX.width - BOX.left - BOX.right);
}

function y(share) {
  return BOX.top + (1 - share) * (BOX.height - BOX.top - BOX.bottom);
}

export function drawCurves(evidence, place, current) {
  BOX.width = Math.max(260, document.querySelector("#curves").clientWidth);
  const { thresholds, test, traffic } = evidence;
  const [lowest] = thresholds;
  const x = scale(lowest);
  const series = [
    ["one", test.accepted.map((count) => count / test.count)],
    ["two", test.right.map((count, at) => (test.accepted[at] ? count / test.accepted[at] : null))],
    ["three", traffic.accepted.map((count) => (traffic.requests ? count / traffic.requests : null))],
  ];
  const says = `At ${thresholds[place]}, ${percent(test.accepted[place], test.count)} of the test images are accepted,`
    + ` ${percent(test.right[place], test.accepted[place])} of them right.`;
  const svg = drawn("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": says });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(drawn("line", { class: "grid", x1: x(lowest), x2: x(1), y1: y(share), y2: y(share) }));
    svg.append(drawn("text", { x: BOX.left - 6, y: y(share) + 4, "text-anchor": "end" }, `${100 * share} %`));
  }
  for (const threshold of thresholds.filter((value) => Math.round(value * 100) % 10 === 0)) {
    svg.append(drawn("text", { x: x(threshold), y: BOX.height - 8, "text-anchor": "middle" }, threshold.toFixed(1)));
  }
  const upright = (at, name) => drawn("line", { class: name, x1: x(at), x2: x(at), y1: y(0), y2: y(1) });
  svg.append(upright(Math.min(Math.max(current, lowest), 1), "current"), upright(thresholds[place], "chosen"));
  for (const [name, shares] of series) {
    const points = shares.map((share, at) => (share === null ? null : `${x(thresholds[at])},${y(share)}`));
    svg.append(drawn("polyline", { class: name, points: points.filter(Boolean).join(" ") }));
    if (shares[place] !== null) svg.append(drawn("circle", { class: name, cx: x(thresholds[place]), cy: y(shares[place]), r: 5 }));
  }
  document.querySelector("#curves").replaceChildren(svg);
}

export function showConfusion(test, place) {
  const head = element("tr");
  const columns = ["true class", ...test.classes.map((name) => `as ${name}`), "refused"];
  head.append(...columns.map((name) => element("th", name, { scope: "col" })));
  const rows = test.confusion[place].map((counts, label) => {
    const row = element("tr");
    row.append(element("th", test.classes[label], { scope: "row" }));
    row.append(...counts.map((count, guess) => {
      const kind = guess === label ? "right" : guess < test.classes.length && count ? "wrong" : "other";
      return element("td", String(count), { class: kind });
    }));
    return row;
  });
  document.querySelector("#confusion").replaceChildren(head, ...rows);
}

export function showImages(test, place, threshold, pictures) {
  const items = test.nearest[place].map((number) => {
    const found = test.images[number];
    const accepted = found.confidence >= threshold;
    const right = found.label === found.predicted;
    const item = element("li", undefined, { class: accepted ? "in" : "out" });
    const verdict = `${accepted ? "accepted" : "refused"}, ${right ? "right" : "wrong"}`;
    const picture = element("img", undefined, { alt: `${found.name}, a ${test.classes[found.label]}`, width: 128, height: 128 });
    if (pictures[number]) picture.src = pictures[number];
    item.append(
      picture,
      element("div", verdict, { class: "verdict" }),
      element("div", `${found.confidence.toFixed(4)} ${test.classes[found.predicted]}`),
    );
    return item;
  });
  document.querySelector("#images").replaceChildren(...items);
}
