/** How a label looks: colour, line style and key. Colour is never the only sign of a label. */
export interface LabelStyle {
  readonly color: string;
  /** Lengths of dashes and gaps in CSS pixels; empty for a solid line. */
  readonly dash: readonly number[];
  /** The digit that chooses the label, for the first ten. */
  readonly digit: string | undefined;
}

/**
 * Light enough for black text on them (7:1 or better) and for a dark rim that sets them off from any
 * photograph; neighbours in the list are far apart for people with colour blindness, too.
 */
const COLORS: readonly string[] = [
  "#ffd000",
  "#3fb0ff",
  "#ff6a6a",
  "#3ddc84",
  "#d69bff",
  "#ff9a2e",
  "#2ee6d6",
  "#ff8fd0",
  "#b8e12d",
  "#d8b48a",
];

const DASHES: readonly (readonly number[])[] = [[], [9, 4], [3, 3], [12, 3, 3, 3], [18, 6]];

/** A label that came with the initial value and that the job does not offer. */
export const FOREIGN_STYLE: LabelStyle = { color: "#ffffff", dash: [2, 5], digit: undefined };

/** Return the style of the label at a position in the list; fifty in a row differ. */
export function labelStyle(position: number): LabelStyle {
  const color = COLORS[position % COLORS.length] ?? FOREIGN_STYLE.color;
  const dash = DASHES[(position + Math.floor(position / COLORS.length)) % DASHES.length] ?? [];
  return { color, dash, digit: position < 10 ? String((position + 1) % 10) : undefined };
}

/** Return the labels that contain all words of a search, best matches first. */
export function searchLabels(labels: readonly string[], query: string): readonly string[] {
  const words = normalized(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return labels;
  const first = words[0] ?? "";
  return labels
    .filter((label) => words.every((word) => normalized(label).includes(word)))
    .sort(
      (one, other) =>
        Number(normalized(other).startsWith(first)) - Number(normalized(one).startsWith(first)),
    );
}

function normalized(text: string): string {
  return text.normalize("NFKC").toLocaleLowerCase();
}
