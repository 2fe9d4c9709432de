/** Line drawings of the toolbar, on a 20 by 20 grid. */
const PATHS = {
  draw: "M4 6V4h2M14 4h2v2M16 14v2h-2M6 16H4v-2M9 4h2M9 16h2M4 9v2M16 9v2",
  pan: "M10 2.5v15M2.5 10h15M10 2.5 7.8 4.7M10 2.5l2.2 2.2M10 17.5l-2.2-2.2M10 17.5l2.2-2.2M2.5 10l2.2-2.2M2.5 10l2.2 2.2M17.5 10l-2.2-2.2M17.5 10l-2.2 2.2",
  zoomIn: "M13 13l4.5 4.5M8.5 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8.5 6v5M6 8.5h5",
  zoomOut: "M13 13l4.5 4.5M8.5 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M6 8.5h5",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4M7 7h6v6H7z",
  actualSize: "M4 6.5 6 5v10M16 15V5l-2 1.5M10 8v.2M10 12v.2",
  brightness:
    "M10 6.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7M10 1.8v2M10 16.2v2M1.8 10h2M16.2 10h2M4.2 4.2l1.4 1.4M14.4 14.4l1.4 1.4M4.2 15.8l1.4-1.4M14.4 5.6l1.4-1.4",
  contrast: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 3v14M10 6h4.5M10 9h6.5M10 12h6M10 15h3.5",
  undo: "M7.5 4 3.5 8l4 4M3.5 8H12a4.5 4.5 0 0 1 0 9H8",
  redo: "M12.5 4l4 4l-4 4M16.5 8H8a4.5 4.5 0 0 0 0 9h4",
  duplicate: "M7 7h10v10H7zM4.5 13H3V3h10v1.5",
  remove: "M3.5 5.5h13M8 5.5V3.5h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5",
  eye: "M1.8 10C3.8 6.5 6.7 4.8 10 4.8s6.2 1.7 8.2 5.2c-2 3.5-4.9 5.2-8.2 5.2S3.8 13.5 1.8 10M10 7.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5",
  eyeOff:
    "M1.8 10C3.8 6.5 6.7 4.8 10 4.8s6.2 1.7 8.2 5.2c-2 3.5-4.9 5.2-8.2 5.2S3.8 13.5 1.8 10M3.5 17 16.5 3",
  keys: "M2 5h16v10H2zM5 8v.1M8 8v.1M11 8v.1M14 8v.1M6 12h8",
} as const;

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** Make an icon that assistive technology passes over: its button carries the name. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Make a sample of a label's line, as its boxes have it. */
export function lineSample(color: string, dash: readonly number[]): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 16");
  svg.setAttribute("class", "sample");
  svg.setAttribute("aria-hidden", "true");
  for (const [stroke, width, dashes] of [
    ["#000", 4, []],
    [color, 2.5, dash],
  ] as const) {
    const box = document.createElementNS(SVG, "rect");
    box.setAttribute("x", "2.5");
    box.setAttribute("y", "2.5");
    box.setAttribute("width", "19");
    box.setAttribute("height", "11");
    box.setAttribute("fill", stroke === color ? color : "none");
    box.setAttribute("fill-opacity", "0.25");
    box.setAttribute("stroke", stroke);
    box.setAttribute("stroke-width", String(width));
    box.setAttribute("stroke-dasharray", dashes.map((length) => length * 0.6).join(" "));
    svg.append(box);
  }
  return svg;
}
