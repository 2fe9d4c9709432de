import { moveBox, type Rectangle, type Size, sameBox } from "./geometry";

/** A drawn box. Never changed in place: an edit replaces it, so identity tells whether it changed. */
export interface LabeledBox extends Rectangle {
  readonly id: number;
  readonly label: string;
}

/** What the worker made, and what is selected. Undo goes through these states. */
export interface BoxDocument {
  readonly boxes: readonly LabeledBox[];
  readonly selected: number | undefined;
  /** The worker says that the image shows nothing to label; then there are no boxes. */
  readonly nothing: boolean;
}

export const EMPTY: BoxDocument = { boxes: [], selected: undefined, nothing: false };

export function selectedBox(document: BoxDocument): LabeledBox | undefined {
  return document.boxes.find((box) => box.id === document.selected);
}

export function select(document: BoxDocument, id: number | undefined): BoxDocument {
  return id === document.selected ? document : { ...document, selected: id };
}

/** Return the document with one box more, selected; a drawn box takes "nothing to label" back. */
export function addBox(document: BoxDocument, box: Rectangle, label: string): BoxDocument {
  const id = document.boxes.reduce((highest, each) => Math.max(highest, each.id), 0) + 1;
  const { left, top, width, height } = box;
  return {
    boxes: [...document.boxes, { id, label, left, top, width, height }],
    selected: id,
    nothing: false,
  };
}

export function placeBox(document: BoxDocument, id: number, to: Rectangle): BoxDocument {
  return replaceBox(document, id, (box) =>
    sameBox(box, to)
      ? box
      : { ...box, left: to.left, top: to.top, width: to.width, height: to.height },
  );
}

export function relabelBox(document: BoxDocument, id: number, label: string): BoxDocument {
  return replaceBox(document, id, (box) => (box.label === label ? box : { ...box, label }));
}

function replaceBox(
  document: BoxDocument,
  id: number,
  change: (box: LabeledBox) => LabeledBox,
): BoxDocument {
  const boxes = document.boxes.map((box) => (box.id === id ? change(box) : box));
  const changed = boxes.some((box, position) => box !== document.boxes[position]);
  return changed ? { ...document, boxes } : document;
}

/** Return the document without a box. */
export function removeBox(document: BoxDocument, id: number): BoxDocument {
  const boxes = document.boxes.filter((box) => box.id !== id);
  return boxes.length === document.boxes.length
    ? document
    : { ...document, boxes, selected: undefined };
}

/** Return the document with a copy of a box beside it, selected. */
export function duplicateBox(
  document: BoxDocument,
  id: number,
  offset: number,
  image: Size,
): BoxDocument {
  const box = document.boxes.find((each) => each.id === id);
  if (!box) return document;
  const beside = moveBox(box, offset, offset, image);
  // In the image's corner there is no room on that side.
  const copy = sameBox(beside, box) ? moveBox(box, -offset, -offset, image) : beside;
  return addBox(document, copy, box.label);
}

/** Return the document that says that there is nothing to label, or no longer says so. */
export function setNothing(document: BoxDocument, nothing: boolean): BoxDocument {
  if (nothing === document.nothing) return document;
  return nothing ? { boxes: [], selected: undefined, nothing } : { ...document, nothing };
}

/** Return the box after or before the selected one in drawing order, among those that can be seen. */
export function neighbour(
  document: BoxDocument,
  step: 1 | -1,
  visible: (box: LabeledBox) => boolean,
): number | undefined {
  const shown = document.boxes.filter(visible);
  if (shown.length === 0) return undefined;
  const position = shown.findIndex((box) => box.id === document.selected);
  if (position < 0) return (step > 0 ? shown[0] : shown.at(-1))?.id;
  return shown[(position + step + shown.length) % shown.length]?.id;
}

/** Whether two states hold the same work; the selection is no work. */
export function sameWork(one: BoxDocument, other: BoxDocument): boolean {
  return one.boxes === other.boxes && one.nothing === other.nothing;
}

/** Whether two lists have the same boxes in the same order, whatever their identity. */
export function sameBoxes(one: readonly LabeledBox[], other: readonly LabeledBox[]): boolean {
  return (
    one.length === other.length &&
    one.every((box, position) => {
      const counterpart = other[position];
      return (
        counterpart !== undefined && box.label === counterpart.label && sameBox(box, counterpart)
      );
    })
  );
}
