import { clamp, type Point, type Rectangle, type Size } from "./geometry";

/** The one transform between image pixels and CSS pixels of the stage: `screen = image * scale + offset`. */
export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** A pixel as big as a button: more than enough to set an edge between two of them. */
export const MAXIMUM_SCALE = 40;
export const ZOOM_STEP = 1.25;
const FIT_MARGIN = 16;

export function toScreen(view: View, point: Point): Point {
  return { x: point.x * view.scale + view.x, y: point.y * view.scale + view.y };
}

export function toImage(view: View, point: Point): Point {
  return { x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale };
}

export function rectangleToScreen(view: View, box: Rectangle): Rectangle {
  const { x, y } = toScreen(view, { x: box.left, y: box.top });
  return { left: x, top: y, width: box.width * view.scale, height: box.height * view.scale };
}

/** Return the view that shows the whole image, centred, with room to grab boxes at its border. */
export function fit(image: Size, stage: Size): View {
  const room = {
    width: Math.max(stage.width - 2 * FIT_MARGIN, 1),
    height: Math.max(stage.height - 2 * FIT_MARGIN, 1),
  };
  const scale = Math.min(room.width / image.width, room.height / image.height, MAXIMUM_SCALE);
  return {
    scale,
    x: (stage.width - image.width * scale) / 2,
    y: (stage.height - image.height * scale) / 2,
  };
}

/** Return the view at another scale, with the image point under `at` staying there. */
export function zoomTo(view: View, scale: number, at: Point, image: Size, stage: Size): View {
  const least = Math.min(fit(image, stage).scale / 2, 1);
  const next = clamp(scale, least, MAXIMUM_SCALE);
  const fixed = toImage(view, at);
  return keepInSight(
    { scale: next, x: at.x - fixed.x * next, y: at.y - fixed.y * next },
    image,
    stage,
  );
}

export function pan(view: View, dx: number, dy: number, image: Size, stage: Size): View {
  return keepInSight({ ...view, x: view.x + dx, y: view.y + dy }, image, stage);
}

/** Return the view shifted as little as needed to show a box, or unchanged if it is in sight. */
export function reveal(view: View, box: Rectangle, image: Size, stage: Size): View {
  const shown = rectangleToScreen(view, box);
  const dx = shift(shown.left, shown.width, stage.width);
  const dy = shift(shown.top, shown.height, stage.height);
  return dx === 0 && dy === 0 ? view : pan(view, dx, dy, image, stage);
}

function shift(start: number, length: number, room: number): number {
  const margin = Math.min(24, room / 4);
  if (length > room - 2 * margin) {
    // Too big to be seen whole: any part of it will do.
    return start > room - margin
      ? room - margin - start
      : start + length < margin
        ? margin - start - length
        : 0;
  }
  if (start < margin) return margin - start;
  if (start + length > room - margin) return room - margin - start - length;
  return 0;
}

/** The middle of the stage stays on the image: one can always pan back, and never gets lost. */
function keepInSight(view: View, image: Size, stage: Size): View {
  return {
    scale: view.scale,
    x: clamp(view.x, stage.width / 2 - image.width * view.scale, stage.width / 2),
    y: clamp(view.y, stage.height / 2 - image.height * view.scale, stage.height / 2),
  };
}
