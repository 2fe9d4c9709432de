import type { Json, JsonObject } from "../frame/protocol";
import type { BoxDocument, LabeledBox } from "./document";
import { EMPTY } from "./document";
import { fitBox, type Rectangle, type Size } from "./geometry";

/** Return the documented answer; keys in the order in which Ground Truth writes them. */
export function answerOf(document: BoxDocument, image: Size): JsonObject {
  return {
    boundingBoxes: document.boxes.map(({ height, label, left, top, width }) => ({
      height,
      label,
      left,
      top,
      width,
    })),
    inputImageProperties: { height: image.height, width: image.width },
  };
}

/** Return the boxes of an `initial-value`, as whole pixels inside the image; what is no box is left out. */
export function readInitialBoxes(value: unknown, image: Size): readonly LabeledBox[] {
  if (!Array.isArray(value)) return [];
  return value
    .map((entry: unknown) => readBox(entry, image))
    .filter((box) => box !== undefined)
    .map((box, position) => ({ ...box, id: position + 1 }));
}

function readBox(entry: unknown, image: Size): (Rectangle & { label: string }) | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { left, top, width, height, label } = entry as Record<string, unknown>;
  if (typeof label !== "string") return undefined;
  // Liquid templates often quote numbers.
  const box = fitBox(
    { left: Number(left), top: Number(top), width: Number(width), height: Number(height) },
    image,
  );
  return box && { ...box, label };
}

/** How many steps back a draft remembers: plenty for a slip noticed after a reload, and few bytes. */
export const DRAFT_STEPS = 30;

/** What a draft brings back. */
export interface Draft {
  readonly document: BoxDocument;
  readonly past: readonly BoxDocument[];
  readonly label: string | undefined;
}

type Row = [id: number, label: string, left: number, top: number, width: number, height: number];

/** One step back: boxes that vanish, and boxes that come, each with its place in the list. */
interface StepBack {
  readonly gone: readonly number[];
  readonly come: readonly (readonly [number, Row])[];
  readonly nothing: boolean;
}

/**
 * Return the work and its last steps in JSON that `readDraft` understands.
 *
 * Steps are stored as differences: a step usually touches one box, and drafts are written after each.
 */
export function writeDraft(
  present: BoxDocument,
  past: readonly BoxDocument[],
  label: string | undefined,
  image: Size,
): Json {
  const states = [...past.slice(-DRAFT_STEPS), present];
  const steps = states.slice(0, -1).map((state, position) => {
    const after = states[position + 1] ?? present;
    return stepBack(after, state);
  });
  return {
    version: 1,
    image: [image.width, image.height],
    boxes: present.boxes.map(toRow),
    nothing: present.nothing,
    label: label ?? null,
    steps: steps.map(({ gone, come, nothing }) => ({
      gone: [...gone],
      come: come.map(([position, row]) => [position, row]),
      nothing,
    })),
  };
}

function stepBack(from: BoxDocument, to: BoxDocument): StepBack {
  const kept = new Set(to.boxes);
  const before = new Set(from.boxes);
  return {
    gone: from.boxes.filter((box) => !kept.has(box)).map((box) => box.id),
    come: to.boxes.flatMap((box, position) =>
      before.has(box) ? [] : [[position, toRow(box)] as const],
    ),
    nothing: to.nothing,
  };
}

/** Return what a draft holds, or undefined if it is none of ours or of another image. */
export function readDraft(draft: unknown, image: Size): Draft | undefined {
  if (!isRecord(draft) || draft.version !== 1 || !Array.isArray(draft.image)) return undefined;
  if (draft.image[0] !== image.width || draft.image[1] !== image.height) return undefined;
  const boxes = readRows(draft.boxes, image);
  if (!boxes) return undefined;
  const document: BoxDocument = {
    boxes,
    selected: undefined,
    nothing: draft.nothing === true && boxes.length === 0,
  };
  const label = typeof draft.label === "string" ? draft.label : undefined;
  return { document, past: readSteps(draft.steps, document, image), label };
}

function readSteps(steps: unknown, present: BoxDocument, image: Size): readonly BoxDocument[] {
  if (!Array.isArray(steps)) return [];
  const past: BoxDocument[] = [];
  let state = present;
  for (const step of steps.toReversed()) {
    if (!isRecord(step) || !Array.isArray(step.gone) || !Array.isArray(step.come)) break;
    const gone = new Set(step.gone);
    const boxes = state.boxes.filter((box) => !gone.has(box.id));
    for (const entry of step.come) {
      const [position, row] = Array.isArray(entry) ? entry : [];
      const box = readRow(row, image);
      if (!box || typeof position !== "number") return past;
      boxes.splice(position, 0, box);
    }
    state = { ...EMPTY, boxes, nothing: step.nothing === true };
    past.unshift(state);
  }
  return past;
}

function toRow({ id, label, left, top, width, height }: LabeledBox): Row {
  return [id, label, left, top, width, height];
}

function readRows(rows: unknown, image: Size): readonly LabeledBox[] | undefined {
  if (!Array.isArray(rows)) return undefined;
  const boxes = rows.map((row: unknown) => readRow(row, image)).filter((box) => box !== undefined);
  const ids = new Set(boxes.map((box) => box.id));
  return boxes.length === rows.length && ids.size === rows.length ? boxes : undefined;
}

function readRow(row: unknown, image: Size): LabeledBox | undefined {
  if (!Array.isArray(row)) return undefined;
  const [id, label, left, top, width, height] = row as unknown[];
  if (typeof id !== "number" || typeof label !== "string") return undefined;
  const box = fitBox(
    { left: Number(left), top: Number(top), width: Number(width), height: Number(height) },
    image,
  );
  return box && { id, label, ...box };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
