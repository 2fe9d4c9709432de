import { contains, type Handle, handleAt, type Point, type Rectangle } from "./geometry";

export type Mode = "draw" | "pan";

/** What a press on the stage begins once the pointer moves. */
export type Gesture =
  | { readonly type: "draw" }
  | { readonly type: "pan" }
  | { readonly type: "move" }
  | { readonly type: "resize"; readonly handle: Handle };

export interface Press {
  readonly at: Point;
  /** How far from an edge a grab still counts, in image pixels. */
  readonly reach: number;
  readonly mode: Mode;
  /** Middle button, or the space bar is held. */
  readonly pans: boolean;
  /** Shift: draw, even where the selected box would be moved. */
  readonly draws: boolean;
}

/**
 * Return what a press begins.
 *
 * Only the selected box can be moved or resized: boxes at rest never catch a press, so that a box can
 * be drawn across and inside others. A press that does not move is a click, and selects.
 */
export function gestureAt(press: Press, selected: Rectangle | undefined): Gesture {
  if (press.pans || press.mode === "pan") return { type: "pan" };
  if (press.draws || !selected) return { type: "draw" };
  const handle = handleAt(selected, press.at, press.reach);
  if (handle) return { type: "resize", handle };
  return contains(selected, press.at) ? { type: "move" } : { type: "draw" };
}

/** Return the CSS cursor that announces a gesture. */
export function cursorOf(gesture: Gesture): string {
  switch (gesture.type) {
    case "draw":
      return "crosshair";
    case "pan":
      return "grab";
    case "move":
      return "move";
    case "resize": {
      const { x, y } = gesture.handle;
      if (x === 0) return "ns-resize";
      if (y === 0) return "ew-resize";
      return x === y ? "nwse-resize" : "nesw-resize";
    }
  }
}

/** How far a pointer may slip in a click, and how near an edge must be to be grabbed, in CSS pixels. */
export function tolerances(pointerType: string): { readonly slip: number; readonly reach: number } {
  return pointerType === "touch" ? { slip: 8, reach: 20 } : { slip: 3, reach: 8 };
}
