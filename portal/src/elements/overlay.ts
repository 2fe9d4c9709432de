import { labelStyle } from "../boxes/labels";
import type { Json } from "../frame/protocol";
import { h } from "./dom";

/** One line of the legend of an overlay. */
export interface LegendEntry {
  readonly label: string;
  readonly color: string;
  readonly count: number | undefined;
}

/** An earlier answer that is shown over the image for verification. */
export type Overlay =
  | {
      readonly kind: "boxes";
      readonly boxes: readonly OverlayBox[];
      readonly legend: readonly LegendEntry[];
    }
  | { readonly kind: "mask"; readonly src: string; readonly legend: readonly LegendEntry[] }
  | { readonly kind: "unsupported"; readonly name: string };

export interface OverlayBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly color: string;
}

type Fields = { readonly [key: string]: Json };

/** Read the parsed `overlay` attribute of crowd-image-classifier; undefined if there is nothing to show. */
export function readOverlay(value: Json): Overlay | undefined {
  if (!isFields(value)) return undefined;
  const [name, content] = Object.entries(value)[0] ?? [];
  if (name === undefined) return undefined;
  if (!isFields(content)) return { kind: "unsupported", name };
  if (name === "boundingBox") return boxes(content);
  if (name === "semanticSegmentation" && typeof content.src === "string") {
    const mappings = isFields(content.labelMappings) ? content.labelMappings : {};
    return {
      kind: "mask",
      src: content.src,
      legend: Object.entries(mappings).map(([label, mapping]) => ({
        label,
        color: isFields(mapping) && typeof mapping.color === "string" ? mapping.color : "#888888",
        count: undefined,
      })),
    };
  }
  if (name === "instanceSegmentation" && typeof content.src === "string") {
    const instances = Array.isArray(content.instances) ? content.instances.filter(isFields) : [];
    return {
      kind: "mask",
      src: content.src,
      legend: instances.map(({ label, color }) => ({
        label: String(label ?? ""),
        color: String(color ?? "#888888"),
        count: undefined,
      })),
    };
  }
  return { kind: "unsupported", name };
}

/** Draw boxes in the pixels of an image of this size, for a layer that fits the image's own box. */
export function drawBoxes(
  overlay: readonly OverlayBox[],
  size: { readonly width: number; readonly height: number },
): SVGSVGElement {
  const layer = svg("svg", {
    viewBox: `0 0 ${size.width} ${size.height}`,
    preserveAspectRatio: "xMidYMid meet",
    class: "overlay",
    role: "img",
  });
  for (const { left, top, width, height, color, label } of overlay) {
    const place = { x: left, y: top, width, height, "vector-effect": "non-scaling-stroke" };
    const group = svg("g", {});
    const title = svg("title", {});
    title.textContent = label;
    group.append(title);
    // A dark rim sets every colour off from every photograph.
    group.append(svg("rect", { ...place, class: "rim" }), svg("rect", { ...place, stroke: color }));
    layer.append(group);
  }
  return layer;
}

/** Make the small flags that name each box; percentages keep them in place at any size. */
export function boxFlags(
  overlay: readonly OverlayBox[],
  size: { readonly width: number; readonly height: number },
): HTMLElement[] {
  return overlay.map(({ left, top, label, color }) => {
    const flag = h("span", { class: "flag", "aria-hidden": "true" }, label);
    flag.style.left = `${(left / size.width) * 100}%`;
    flag.style.top = `${(top / size.height) * 100}%`;
    flag.style.background = color;
    return flag;
  });
}

function boxes(content: Fields): Overlay {
  const named = Array.isArray(content.labels)
    ? content.labels.filter((label): label is string => typeof label === "string")
    : [];
  const entries = Array.isArray(content.value) ? content.value.filter(isFields) : [];
  const labels = [...new Set([...named, ...entries.map(({ label }) => String(label ?? ""))])];
  const colorOf = (label: string) => labelStyle(labels.indexOf(label)).color;
  const found = entries
    .map((entry) => ({
      left: Number(entry.left),
      top: Number(entry.top),
      width: Number(entry.width),
      height: Number(entry.height),
      label: String(entry.label ?? ""),
      color: colorOf(String(entry.label ?? "")),
    }))
    .filter(({ left, top, width, height }) => [left, top, width, height].every(Number.isFinite));
  return {
    kind: "boxes",
    boxes: found,
    legend: labels.map((label) => ({
      label,
      color: colorOf(label),
      count: found.filter((box) => box.label === label).length,
    })),
  };
}

function isFields(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>>,
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
