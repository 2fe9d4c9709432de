import type { LabeledBox } from "./document";
import { HANDLES, handlePoint, type Point, type Rectangle, type Size } from "./geometry";
import type { LabelStyle } from "./labels";
import { rectangleToScreen, toScreen, type View } from "./view";

/** All that is to be seen on the stage. Parts are compared by identity: a part that changed is a new one. */
export interface Scene {
  readonly view: View;
  /** The boxes at rest, without the active one. */
  readonly boxes: readonly LabeledBox[];
  /** The selected box or the one being drawn, moved or resized; drawn on top, with handles. */
  readonly active:
    | { readonly box: Rectangle; readonly label: string; readonly handles: boolean }
    | undefined;
  readonly hovered: number | undefined;
  /** Where lines cross the stage, in image pixels. */
  readonly crosshair: Point | undefined;
  /** Whether to write the active box's size beside it. */
  readonly measured: boolean;
}

const RIM = "rgba(0, 0, 0, 0.7)";
const LINE_WIDTH = 2;
const RIM_WIDTH = 4;
const HANDLE_SIDE = 9;
const TAG_HEIGHT = 18;
const TAG_WIDTH_MOST = 180;
/** Below this width on the screen a resting box goes without its label's text, which would hide others. */
const TAGGED_WIDTH = 26;
const FONT = `600 12px system-ui, "Noto Sans KR", "Malgun Gothic", sans-serif`;
/** From here on, pixels are seen as squares rather than blurred. */
const PIXELATED_SCALE = 3;

/**
 * Draws the picture and the boxes, and only what changed.
 *
 * Three layers: the picture is an `img` moved by a CSS transform, so that the browser's compositor
 * scales it and a 4K picture is decoded and uploaded once; a canvas of the boxes at rest, redrawn when
 * they or the view change; a canvas of what follows the hand, of which only the touched part is
 * cleared. A canvas, not SVG: with 300 dashed, rimmed boxes over a 4K picture on a two-core machine
 * without a GPU, SVG took 31 ms per frame of zooming where this took 17 (benchmarks/portal_drawing.py
 * measures it), because non-scaling strokes make the browser lay out and paint every shape anew.
 *
 * No annotation library: the best kept of them, Annotorious, keeps image coordinates and one transform
 * as we do, but has no keyboard path to draw or resize, no line styles per label, no whole pixels, one
 * undo limit of its own, and its store would have to be wrapped for drafts and for this answer's
 * format. What it would save, drawing rectangles, is this file.
 */
export class Renderer {
  readonly #picture: HTMLImageElement;
  readonly #still: CanvasRenderingContext2D;
  readonly #live: CanvasRenderingContext2D;
  readonly #styleOf: (label: string) => LabelStyle;
  readonly #tags = new Map<string, HTMLCanvasElement>();
  #drawn: Scene | undefined;
  #touched: Rectangle[] = [];
  #next: Scene | undefined;
  #request = 0;
  #stage: Size = { width: 0, height: 0 };
  #ratio = 1;

  constructor(
    picture: HTMLImageElement,
    still: HTMLCanvasElement,
    live: HTMLCanvasElement,
    styleOf: (label: string) => LabelStyle,
  ) {
    this.#picture = picture;
    this.#still = contextOf(still);
    this.#live = contextOf(live);
    this.#styleOf = styleOf;
  }

  /** Fit the canvases to the stage, in CSS pixels, and to the screen's pixels. */
  resize(stage: Size, ratio: number): void {
    this.#stage = stage;
    if (ratio !== this.#ratio) this.#tags.clear();
    this.#ratio = ratio;
    for (const { canvas } of [this.#still, this.#live]) {
      canvas.width = Math.max(1, Math.round(stage.width * ratio));
      canvas.height = Math.max(1, Math.round(stage.height * ratio));
    }
    this.#drawn = undefined;
    this.#touched = [];
    if (this.#next) this.#draw(this.#next);
  }

  /** Forget what labels look like. */
  restyle(): void {
    this.#tags.clear();
    this.#drawn = undefined;
  }

  /** Draw a scene at the next frame; of several before it, the last. */
  show(scene: Scene): void {
    this.#next = scene;
    if (this.#request !== 0) return;
    this.#request = requestAnimationFrame(() => {
      this.#request = 0;
      if (this.#next) this.#draw(this.#next);
    });
  }

  destroy(): void {
    cancelAnimationFrame(this.#request);
    this.#request = 0;
    this.#next = undefined;
  }

  #draw(scene: Scene): void {
    const drawn = this.#drawn;
    const sameView = drawn?.view === scene.view;
    if (!sameView) this.#placePicture(scene.view);
    if (!sameView || drawn.boxes !== scene.boxes || drawn.hovered !== scene.hovered) {
      this.#drawBoxes(scene);
    }
    if (
      !sameView ||
      drawn.active !== scene.active ||
      drawn.crosshair !== scene.crosshair ||
      drawn.measured !== scene.measured
    ) {
      this.#drawLive(scene);
    }
    this.#drawn = scene;
  }

  #placePicture(view: View): void {
    const { style } = this.#picture;
    style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    style.imageRendering = view.scale >= PIXELATED_SCALE ? "pixelated" : "auto";
  }

  #drawBoxes(scene: Scene): void {
    const context = this.#still;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, this.#stage.width, this.#stage.height);
    const shown = scene.boxes
      .map((box) => ({ box, on: rectangleToScreen(scene.view, box) }))
      .filter(({ on }) => this.#inSight(on));
    // One path per label: dashes are set a few times a frame instead of hundreds.
    const paths = new Map<string, Path2D>();
    for (const { box, on } of shown) {
      const path = paths.get(box.label) ?? new Path2D();
      paths.set(box.label, path);
      path.rect(...crisp(on));
    }
    for (const [label, path] of paths)
      strokeRimmed(context, path, this.#styleOf(label), LINE_WIDTH);
    for (const { box, on } of shown) {
      const hovered = box.id === scene.hovered;
      if (hovered) {
        context.fillStyle = "rgba(255, 255, 255, 0.16)";
        context.fillRect(...crisp(on));
      }
      if (hovered || on.width >= TAGGED_WIDTH) this.#drawTag(context, box.label, on);
    }
  }

  #drawLive(scene: Scene): void {
    const context = this.#live;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    for (const { left, top, width, height } of this.#touched) {
      context.clearRect(left, top, width, height);
    }
    this.#touched = [];
    if (scene.crosshair) this.#drawCrosshair(context, toScreen(scene.view, scene.crosshair));
    if (scene.active) this.#drawActive(context, scene, scene.active);
  }

  #drawActive(
    context: CanvasRenderingContext2D,
    scene: Scene,
    active: NonNullable<Scene["active"]>,
  ): void {
    const on = rectangleToScreen(scene.view, active.box);
    const path = new Path2D();
    path.rect(...crisp(on));
    strokeRimmed(context, path, this.#styleOf(active.label), LINE_WIDTH + 1);
    this.#touch(on.left, on.top, on.width, on.height);
    this.#drawTag(context, active.label, on);
    if (active.handles) this.#drawHandles(context, on);
    if (scene.measured) {
      const size = `${active.box.width} × ${active.box.height}`;
      this.#drawNote(context, size, on.left + on.width, on.top + on.height);
    }
  }

  #drawHandles(context: CanvasRenderingContext2D, on: Rectangle): void {
    const small = Math.min(on.width, on.height) < HANDLE_SIDE * 4;
    for (const handle of HANDLES) {
      // A small box shows its corners only: the edges can still be grabbed.
      if (small && (handle.x === 0 || handle.y === 0)) continue;
      const { x, y } = handlePoint(on, handle);
      const left = Math.round(x - HANDLE_SIDE / 2);
      const top = Math.round(y - HANDLE_SIDE / 2);
      context.fillStyle = "#000";
      context.fillRect(left - 1, top - 1, HANDLE_SIDE + 2, HANDLE_SIDE + 2);
      context.fillStyle = "#fff";
      context.fillRect(left, top, HANDLE_SIDE, HANDLE_SIDE);
    }
  }

  #drawCrosshair(context: CanvasRenderingContext2D, at: Point): void {
    const x = Math.round(at.x);
    const y = Math.round(at.y);
    const { width, height } = this.#stage;
    // White between two dark lines, to be seen on any picture.
    context.fillStyle = "rgba(0, 0, 0, 0.45)";
    context.fillRect(x - 1, 0, 3, height);
    context.fillRect(0, y - 1, width, 3);
    context.fillStyle = "rgba(255, 255, 255, 0.95)";
    context.fillRect(x, 0, 1, height);
    context.fillRect(0, y, width, 1);
    this.#touch(x, 0, 1, height);
    this.#touch(0, y, width, 1);
  }

  /** Draw a box's label above it, or inside where the stage ends. */
  #drawTag(context: CanvasRenderingContext2D, label: string, on: Rectangle): void {
    const tag = this.#tag(label);
    const width = tag.width / this.#ratio;
    const left = Math.round(on.left) - 1;
    const above = Math.round(on.top) - TAG_HEIGHT - 1;
    const top = above >= 0 ? above : Math.round(Math.max(on.top, 0)) + 1;
    context.drawImage(tag, left, top, width, TAG_HEIGHT);
    if (context === this.#live) this.#touch(left, top, width, TAG_HEIGHT);
  }

  /** Text is shaped once per label, not once per box and frame. */
  #tag(label: string): HTMLCanvasElement {
    const known = this.#tags.get(label);
    if (known) return known;
    const canvas = document.createElement("canvas");
    const context = contextOf(canvas);
    context.font = FONT;
    const width = Math.ceil(Math.min(context.measureText(label).width + 10, TAG_WIDTH_MOST));
    canvas.width = Math.round(width * this.#ratio);
    canvas.height = Math.round(TAG_HEIGHT * this.#ratio);
    context.scale(this.#ratio, this.#ratio);
    context.fillStyle = this.#styleOf(label).color;
    context.fillRect(0, 0, width, TAG_HEIGHT);
    context.fillStyle = "#000";
    context.font = FONT;
    context.textBaseline = "middle";
    context.fillText(label, 5, TAG_HEIGHT / 2 + 0.5, TAG_WIDTH_MOST - 10);
    this.#tags.set(label, canvas);
    return canvas;
  }

  #drawNote(context: CanvasRenderingContext2D, note: string, x: number, y: number): void {
    context.font = FONT;
    const width = Math.ceil(context.measureText(note).width) + 12;
    const left = Math.round(Math.min(Math.max(x - width, 0), this.#stage.width - width));
    const top = Math.round(Math.min(y + 6, this.#stage.height - 20));
    context.fillStyle = "rgba(0, 0, 0, 0.85)";
    context.fillRect(left, top, width, 20);
    context.fillStyle = "#fff";
    context.textBaseline = "middle";
    context.fillText(note, left + 6, top + 10.5);
    this.#touch(left, top, width, 20);
  }

  /** Remember what to clear at the next frame, with room for lines and handles around it. */
  #touch(left: number, top: number, width: number, height: number): void {
    const margin = HANDLE_SIDE;
    this.#touched.push({
      left: Math.floor(left) - margin,
      top: Math.floor(top) - margin,
      width: Math.ceil(width) + 2 * margin + 1,
      height: Math.ceil(height) + 2 * margin + 1,
    });
  }

  #inSight(on: Rectangle): boolean {
    return (
      on.left < this.#stage.width + RIM_WIDTH &&
      on.top < this.#stage.height + TAG_HEIGHT + RIM_WIDTH &&
      on.left + Math.max(on.width, TAG_WIDTH_MOST) > -RIM_WIDTH &&
      on.top + on.height > -RIM_WIDTH
    );
  }
}

function strokeRimmed(
  context: CanvasRenderingContext2D,
  path: Path2D,
  style: LabelStyle,
  width: number,
): void {
  context.setLineDash([]);
  context.lineWidth = width + RIM_WIDTH - LINE_WIDTH;
  context.strokeStyle = RIM;
  context.stroke(path);
  context.setLineDash([...style.dash]);
  context.lineWidth = width;
  context.strokeStyle = style.color;
  context.stroke(path);
}

/** Whole CSS pixels, so that lines are sharp; the document keeps the exact numbers. */
function crisp(on: Rectangle): [number, number, number, number] {
  const left = Math.round(on.left);
  const top = Math.round(on.top);
  return [left, top, Math.round(on.left + on.width) - left, Math.round(on.top + on.height) - top];
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser gives no 2D canvas; the box tool cannot draw.");
  return context;
}
