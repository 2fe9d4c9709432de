import type { Point } from "./geometry";
import { type Gesture, tolerances } from "./interaction";

/** What the pointer does with the stage; points are CSS pixels from the stage's corner. */
export interface PointerTarget {
  /** Tell what a press there would begin. */
  gestureAt(at: Point, pointerType: string, event: PointerEvent | MouseEvent): Gesture;
  /** The pointer moves over the stage without a press, or left it. */
  hover(at: Point | undefined, pointerType: string, event: PointerEvent | undefined): void;
  click(at: Point, pointerType: string): void;
  begin(gesture: Gesture, at: Point): void;
  move(gesture: Gesture, at: Point, before: Point): void;
  end(gesture: Gesture): void;
  cancel(gesture: Gesture): void;
  zoom(factor: number, at: Point): void;
  pan(dx: number, dy: number): void;
}

interface Active {
  readonly pointer: number;
  readonly type: string;
  readonly gesture: Gesture;
  readonly start: Point;
  last: Point;
  moved: boolean;
}

/** Wheel deltas in pixels that double the scale; a usual wheel's notch is 100 of them. */
const WHEEL_PIXELS_PER_DOUBLING = 300;
/** A pinch on a touchpad arrives as a wheel with Ctrl and much smaller deltas. */
const PINCH_PIXELS_PER_DOUBLING = 70;
const LINE_PIXELS = 16;

/** Turns mouse, pen and touch into gestures; two fingers zoom and pan whatever the tool is. */
export class PointerInput {
  readonly #stage: HTMLElement;
  readonly #target: PointerTarget;
  readonly #fingers = new Map<number, Point>();
  #active: Active | undefined;
  #corner: Point | undefined;
  /** After a pinch the finger that stays must not draw. */
  #pinching = false;

  constructor(stage: HTMLElement, target: PointerTarget) {
    this.#stage = stage;
    this.#target = target;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", (event) => this.#lost(event));
    stage.addEventListener("pointerenter", (event) => this.#at(event, true));
    stage.addEventListener("pointerleave", (event) => {
      if (!this.#active) target.hover(undefined, event.pointerType, undefined);
    });
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    // The middle button's own scrolling, and the menu of a long touch, get in the way.
    stage.addEventListener("mousedown", (event) => {
      if (event.button === 1) event.preventDefault();
    });
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** The stage has another place or size. */
  moved(): void {
    this.#corner = undefined;
  }

  /** Give up what is being done, as with Escape. */
  cancel(): boolean {
    const active = this.#active;
    this.#active = undefined;
    if (!active?.moved) return false;
    this.#target.cancel(active.gesture);
    return true;
  }

  /** Measured when a pointer comes or presses, not at each move, which would lay the page out each time. */
  #at(event: MouseEvent, measure = false): Point {
    if (measure || !this.#corner) {
      const { left, top } = this.#stage.getBoundingClientRect();
      this.#corner = { x: left, y: top };
    }
    return { x: event.clientX - this.#corner.x, y: event.clientY - this.#corner.y };
  }

  #down(event: PointerEvent): void {
    const at = this.#at(event, true);
    if (event.pointerType === "touch") {
      this.#fingers.set(event.pointerId, at);
      if (this.#fingers.size > 1) {
        this.cancel();
        this.#pinching = true;
        return;
      }
    }
    if (this.#active || this.#pinching || event.button > 1) return;
    this.#stage.setPointerCapture(event.pointerId);
    const gesture = this.#target.gestureAt(at, event.pointerType, event);
    this.#active = {
      pointer: event.pointerId,
      type: event.pointerType,
      gesture,
      start: at,
      last: at,
      moved: false,
    };
  }

  #move(event: PointerEvent): void {
    const at = this.#at(event);
    if (this.#fingers.has(event.pointerId) && this.#pinching) {
      this.#pinch(event.pointerId, at);
      return;
    }
    const active = this.#active;
    if (!active) {
      this.#target.hover(at, event.pointerType, event);
      return;
    }
    if (event.pointerId !== active.pointer) return;
    if (!active.moved) {
      const { slip } = tolerances(active.type);
      if (Math.hypot(at.x - active.start.x, at.y - active.start.y) < slip) return;
      active.moved = true;
      this.#target.begin(active.gesture, active.start);
    }
    this.#target.move(active.gesture, at, active.last);
    active.last = at;
  }

  #pinch(pointer: number, at: Point): void {
    const other = [...this.#fingers].find(([id]) => id !== pointer)?.[1];
    const before = this.#fingers.get(pointer);
    this.#fingers.set(pointer, at);
    if (!other || !before) return;
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    const spread = Math.hypot(at.x - other.x, at.y - other.y);
    const spreadBefore = Math.hypot(before.x - other.x, before.y - other.y);
    // Each finger reports by itself, so the middle moves by half of what one finger does.
    this.#target.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    if (spreadBefore > 0 && spread > 0) this.#target.zoom(spread / spreadBefore, middle);
  }

  #up(event: PointerEvent): void {
    this.#release(event);
    const active = this.#active;
    if (!active || event.pointerId !== active.pointer) return;
    this.#active = undefined;
    if (active.moved) this.#target.end(active.gesture);
    else if (event.button === 0) this.#target.click(active.start, active.type);
    this.#target.hover(
      event.pointerType === "touch" ? undefined : this.#at(event),
      event.pointerType,
      event,
    );
  }

  #lost(event: PointerEvent): void {
    this.#release(event);
    if (event.pointerId === this.#active?.pointer) this.cancel();
  }

  #release(event: PointerEvent): void {
    this.#fingers.delete(event.pointerId);
    if (this.#fingers.size === 0) this.#pinching = false;
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE_PIXELS;
    if (event.shiftKey) {
      // Some systems turn Shift+wheel sideways by themselves.
      this.#target.pan(-(event.deltaX || event.deltaY) * unit, 0);
      return;
    }
    const doubling = event.ctrlKey ? PINCH_PIXELS_PER_DOUBLING : WHEEL_PIXELS_PER_DOUBLING;
    this.#target.zoom(2 ** ((-event.deltaY * unit) / doubling), this.#at(event));
  }
}
