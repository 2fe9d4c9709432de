/**
 * Boxes and points in image pixels. Nothing here knows the screen: `view.ts` converts, once.
 *
 * A box covers whole pixels: all four numbers are integers and `left + width` is the column after the
 * last one. Ground Truth's own tool gave fractions, which are an accident of the zoom at which a box was
 * drawn: the pixel is the smallest thing that can be seen, the arrow keys move by it, and consolidation
 * rounds to it. So two workers who mark the same pixels give the same numbers.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Which sides of a box move: -1 the left or top one, 1 the right or bottom one, 0 none. */
export interface Handle {
  readonly x: -1 | 0 | 1;
  readonly y: -1 | 0 | 1;
}

/** Corners first: where a small box's handles overlap, the corner is the more useful one. */
export const HANDLES: readonly Handle[] = [
  { x: -1, y: -1 },
  { x: 1, y: -1 },
  { x: 1, y: 1 },
  { x: -1, y: 1 },
  { x: 0, y: -1 },
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: -1, y: 0 },
];

/** The least side of a box: anything smaller is a slip of the hand, and no model learns from it. */
export const MINIMUM_SIDE = 3;

export function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** Return the point moved into the image; its far borders count as inside, since boxes end there. */
export function clampPoint(point: Point, image: Size): Point {
  return { x: clamp(point.x, 0, image.width), y: clamp(point.y, 0, image.height) };
}

/** Return the pixel corner nearest to a point, inside the image. */
export function snap(point: Point, image: Size): Point {
  const inside = clampPoint(point, image);
  return { x: Math.round(inside.x), y: Math.round(inside.y) };
}

/** Return the box between two opposite corners, at least `MINIMUM_SIDE` wide and high where it fits. */
export function boxBetween(anchor: Point, corner: Point, image: Size): Rectangle {
  const from = snap(anchor, image);
  const to = snap(corner, image);
  const [left, right] = span(from.x, to.x, image.width);
  const [top, bottom] = span(from.y, to.y, image.height);
  return { left, top, width: right - left, height: bottom - top };
}

/** Return the range between two numbers, grown away from the first to the least length, in 0..limit. */
function span(anchor: number, other: number, limit: number): readonly [number, number] {
  const least = Math.min(MINIMUM_SIDE, limit);
  const length = Math.max(Math.abs(other - anchor), least);
  const start = clamp(other < anchor ? anchor - length : anchor, 0, limit - length);
  return [start, start + length];
}

/** Return the box moved, stopped by the image's borders. */
export function moveBox(box: Rectangle, dx: number, dy: number, image: Size): Rectangle {
  return {
    left: clamp(box.left + Math.round(dx), 0, image.width - box.width),
    top: clamp(box.top + Math.round(dy), 0, image.height - box.height),
    width: box.width,
    height: box.height,
  };
}

/**
 * Return the box with the handle's sides moved by whole pixels.
 *
 * A side stops at the image's border and at the least size; it never turns the box inside out, because
 * an edge that has changed its name in mid-drag is hard to follow.
 */
export function resizeBox(
  box: Rectangle,
  handle: Handle,
  dx: number,
  dy: number,
  image: Size,
): Rectangle {
  const [left, right] = moveSide(box.left, box.left + box.width, handle.x, dx, image.width);
  const [top, bottom] = moveSide(box.top, box.top + box.height, handle.y, dy, image.height);
  return { left, top, width: right - left, height: bottom - top };
}

function moveSide(
  start: number,
  end: number,
  side: -1 | 0 | 1,
  by: number,
  limit: number,
): readonly [number, number] {
  // A box that came in smaller than the least size may stay so until its side is moved.
  const least = Math.min(MINIMUM_SIDE, limit, Math.max(end - start, 1));
  if (side < 0) return [clamp(start + Math.round(by), 0, end - least), end];
  if (side > 0) return [start, clamp(end + Math.round(by), start + least, limit)];
  return [start, end];
}

/** Return whole pixels inside the image for a box of any numbers, or undefined if none is covered. */
export function fitBox(box: Rectangle, image: Size): Rectangle | undefined {
  const numbers = [box.left, box.top, box.width, box.height];
  if (!numbers.every(Number.isFinite)) return undefined;
  const left = Math.round(clamp(box.left, 0, image.width));
  const top = Math.round(clamp(box.top, 0, image.height));
  const width = Math.round(clamp(box.left + box.width, 0, image.width)) - left;
  const height = Math.round(clamp(box.top + box.height, 0, image.height)) - top;
  return width > 0 && height > 0 ? { left, top, width, height } : undefined;
}

export function sameBox(one: Rectangle, other: Rectangle): boolean {
  return (
    one.left === other.left &&
    one.top === other.top &&
    one.width === other.width &&
    one.height === other.height
  );
}

/** Whether a point lies in the box, or not further from it than `reach`. */
export function contains(box: Rectangle, point: Point, reach = 0): boolean {
  return (
    point.x >= box.left - reach &&
    point.x <= box.left + box.width + reach &&
    point.y >= box.top - reach &&
    point.y <= box.top + box.height + reach
  );
}

/** Return where a handle sits. */
export function handlePoint(box: Rectangle, handle: Handle): Point {
  return {
    x: box.left + (box.width * (handle.x + 1)) / 2,
    y: box.top + (box.height * (handle.y + 1)) / 2,
  };
}

/**
 * Return the handle under a point, or undefined.
 *
 * Corners are points, edges are grabbed anywhere along their length. Inside a box that is small on the
 * screen the reach shrinks, so that a third of it is left to move it by.
 *
 * @param reach how far from an edge a grab still counts, in image pixels
 */
export function handleAt(box: Rectangle, point: Point, reach: number): Handle | undefined {
  if (!contains(box, point, reach)) return undefined;
  const x = sideAt(point.x, box.left, box.left + box.width, reach);
  const y = sideAt(point.y, box.top, box.top + box.height, reach);
  return x === 0 && y === 0 ? undefined : { x, y };
}

function sideAt(value: number, start: number, end: number, reach: number): -1 | 0 | 1 {
  const inside = Math.min(reach, (end - start) / 3);
  if (value <= start + inside) return -1;
  if (value >= end - inside) return 1;
  return 0;
}

/**
 * Return the positions of the boxes under a point, the one to select first in front.
 *
 * Smaller ones come first: a big box around small ones would otherwise make them unreachable.
 */
export function boxesAt(
  boxes: readonly Rectangle[],
  point: Point,
  reach: number,
): readonly number[] {
  return boxes
    .map((box, position) => ({ position, area: box.width * box.height }))
    .filter(({ position }) => {
      const box = boxes[position];
      return box !== undefined && contains(box, point, reach);
    })
    .sort((one, other) => one.area - other.area || other.position - one.position)
    .map(({ position }) => position);
}
