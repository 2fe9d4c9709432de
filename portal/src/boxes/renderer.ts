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
  /** The box at rest that a click would select. */
  readonly hovered: LabeledBox | undefined;
  /** Where lines cross the stage, in image pixels. */
  readonly crosshair: Point | undefined;
  /** Whether to write the active box's size beside it. */
  readonly measured: boolean;
  /** Brightness and contrast of the picture, as CSS has it. */
  readonly filter: string;
}

type Frame = [left: number, top: number, width: number, height: number];

const RIM = "rgba(0, 0, 0, 0.7)";
const LINE_WIDTH = 2;
const RIM_WIDTH = 4;
const HANDLE_SIDE = 9;
const TAG_HEIGHT = 18;
const TAG_WIDTH_MOST = 180;
/** With more boxes in sight, only those wider than their label's text have it: it would hide the rest. */
const ALL_TAGGED = 40;
const FONT = `600 12px system-ui, "Noto Sans KR", "Malgun Gothic", sans-serif`;
/** From here on, pixels are seen as squares rather than blurred. */
const PIXELATED_SCALE = 3;

/**
 * Draws the picture and the boxes on one canvas, and only what changed.
 *
 * What rests (picture and boxes) is drawn to a canvas in memory when it or the view changes; what
 * follows the hand is drawn over a copy of that, and leaves by copying back the parts it touched.
 * Everything is on one opaque canvas, because layers cost more than drawing: with 300 dashed boxes
 * on a 4K picture and no GPU, an `img` under two transparent canvases took 14 ms of processor time
 * per frame of drawing and 22 of zooming, mostly the compositor's, and one canvas takes 4 and 16. SVG
 * was slower still (31 ms against 17 between frames of zooming), because strokes that do not scale
 * make the browser lay out and paint every shape anew. benchmarks/portal_drawing.py measures it.
 *
 * No annotation library: Annotorious, the best kept one, also keeps image coordinates with one
 * transform, but boxes cannot be edited by keyboard in it (its issue 422:
 * https://github.com/annotorious/annotorious/issues/422), and its SVG shapes, store and undo would
 * have to be wrapped for line styles, whole pixels, drafts and this answer. What it would save,
 * drawing rectangles, is this file.
 */
export class Renderer {
  #picture: CanvasImageSource | undefined;
  readonly #canvas: HTMLCanvasElement;
  readonly #shown: CanvasRenderingContext2D;
  readonly #rest: CanvasRenderingContext2D;
  readonly #styleOf: (label: string) => LabelStyle;
  readonly #tags = new Map<string, HTMLCanvasElement>();
  #drawn: Scene | undefined;
  #touched: Rectangle[] = [];
  #stage: Size = { width: 0, height: 0 };
  #ratio = 1;
  #background = "#888";

  constructor(canvas: HTMLCanvasElement, styleOf: (label: string) => LabelStyle) {
    this.#canvas = canvas;
    this.#shown = contextOf(canvas, false);
    this.#rest = contextOf(document.createElement("canvas"), false);
    this.#styleOf = styleOf;
  }

  /** Take another picture, to be seen from the next drawing on. */
  setPicture(picture: CanvasImageSource | undefined): void {
    this.#picture = picture;
    this.#drawn = undefined;
  }

  /**
   * Fit the canvases to the stage and to the screen's pixels; clears them.
   *
   * @param stage the stage in CSS pixels
   * @param ratio pixels of the screen per CSS pixel
   * @param background the colour around the picture
   */
  resize(stage: Size, ratio: number, background: string): void {
    if (ratio !== this.#ratio) this.#tags.clear();
    this.#stage = stage;
    this.#ratio = ratio;
    this.#background = background;
    for (const { canvas } of [this.#shown, this.#rest]) {
      canvas.width = Math.max(1, Math.round(stage.width * ratio));
      canvas.height = Math.max(1, Math.round(stage.height * ratio));
    }
    this.#drawn = undefined;
  }

  /** Draw what differs from the scene before; to be called within an animation frame. */
  draw(scene: Scene): void {
    const drawn = this.#drawn;
    this.#drawn = scene;
    const rests =
      drawn?.view === scene.view && drawn.boxes === scene.boxes && drawn.filter === scene.filter;
    if (rests) {
      for (const part of this.#touched) this.#copy(part);
    } else {
      this.#drawPicture(scene);
      this.#drawBoxes(scene);
      this.#copy({ left: 0, top: 0, ...this.#stage });
    }
    this.#touched = [];
    this.#scale(this.#shown);
    if (scene.hovered) this.#drawHovered(this.#shown, scene, scene.hovered);
    if (scene.crosshair) this.#drawCrosshair(this.#shown, toScreen(scene.view, scene.crosshair));
    if (scene.active) this.#drawActive(this.#shown, scene, scene.active);
  }

  /** Show what rests in a part of the stage. */
  #copy({ left, top, width, height }: Rectangle): void {
    const { canvas } = this.#rest;
    const x = Math.max(0, Math.floor(left * this.#ratio));
    const y = Math.max(0, Math.floor(top * this.#ratio));
    const right = Math.min(canvas.width, Math.ceil((left + width) * this.#ratio));
    const bottom = Math.min(canvas.height, Math.ceil((top + height) * this.#ratio));
    if (right <= x || bottom <= y) return;
    this.#shown.setTransform(1, 0, 0, 1, 0, 0);
    this.#shown.drawImage(canvas, x, y, right - x, bottom - y, x, y, right - x, bottom - y);
  }

  #scale(context: CanvasRenderingContext2D): void {
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
  }

  #drawPicture({ view, filter }: Scene): void {
    const context = this.#rest;
    this.#scale(context);
    context.fillStyle = this.#background;
    context.fillRect(0, 0, this.#stage.width, this.#stage.height);
    // Where canvases know no filters, the whole canvas gets it, boxes and all: better than nothing.
    if ("filter" in context) context.filter = filter;
    else this.#canvas.style.filter = filter;
    const scale = view.scale * this.#ratio;
    context.imageSmoothingEnabled = view.scale < PIXELATED_SCALE;
    context.imageSmoothingQuality = scale < 1 ? "medium" : "low";
    context.setTransform(scale, 0, 0, scale, view.x * this.#ratio, view.y * this.#ratio);
    if (this.#picture) context.drawImage(this.#picture, 0, 0);
    if ("filter" in context) context.filter = "none";
  }

  #drawBoxes(scene: Scene): void {
    const context = this.#rest;
    this.#scale(context);
    const shown = scene.boxes
      .map((box) => ({ box, on: rectangleToScreen(scene.view, box) }))
      .filter(({ on }) => this.#inSight(on));
    context.fillStyle = RIM;
    for (const { on } of shown) fillFrame(context, crisp(on), RIM_WIDTH);
    // By label, so that style and dashes are set a few times a frame instead of hundreds.
    const frames = new Map<string, Frame[]>();
    for (const { box, on } of shown) {
      const group = frames.get(box.label) ?? [];
      frames.set(box.label, group);
      group.push(crisp(on));
    }
    for (const [label, group] of frames) {
      drawFrames(context, group, this.#styleOf(label), LINE_WIDTH);
    }
    this.#drawTags(context, shown);
  }

  /** Draw the labels that find room: the others are told by colour, line, hovering and the list. */
  #drawTags(
    context: CanvasRenderingContext2D,
    shown: readonly { box: LabeledBox; on: Rectangle }[],
  ): void {
    const placed: Rectangle[] = [];
    for (const { box, on } of shown) {
      const place = this.#tagPlace(box.label, on);
      if (shown.length > ALL_TAGGED && place.width > on.width) continue;
      if (placed.some((other) => overlap(place, other))) continue;
      placed.push(place);
      this.#drawTag(context, box.label, on);
    }
  }

  #drawHovered(context: CanvasRenderingContext2D, scene: Scene, box: LabeledBox): void {
    const on = rectangleToScreen(scene.view, box);
    context.fillStyle = "rgba(255, 255, 255, 0.2)";
    context.fillRect(...crisp(on));
    this.#touch(on.left, on.top, on.width, on.height);
    this.#drawTag(context, box.label, on);
  }

  #drawActive(
    context: CanvasRenderingContext2D,
    scene: Scene,
    active: NonNullable<Scene["active"]>,
  ): void {
    const on = rectangleToScreen(scene.view, active.box);
    context.fillStyle = RIM;
    fillFrame(context, crisp(on), RIM_WIDTH + 2);
    drawFrames(context, [crisp(on)], this.#styleOf(active.label), LINE_WIDTH + 2);
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
    const { left, top, width, height } = this.#tagPlace(label, on);
    context.drawImage(this.#tag(label), left, top, width, height);
    if (context === this.#shown) this.#touch(left, top, width, height);
  }

  #tagPlace(label: string, on: Rectangle): Rectangle {
    const above = Math.round(on.top) - TAG_HEIGHT - 1;
    return {
      left: Math.round(on.left) - 1,
      top: above >= 0 ? above : Math.round(Math.max(on.top, 0)) + 1,
      width: this.#tag(label).width / this.#ratio,
      height: TAG_HEIGHT,
    };
  }

  /** Text is shaped once per label, not once per box and frame. */
  #tag(label: string): HTMLCanvasElement {
    const known = this.#tags.get(label);
    if (known) return known;
    const canvas = document.createElement("canvas");
    const context = contextOf(canvas, true);
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

  /** Remember what to put back at the next frame, with room for lines and handles around it. */
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

/** Draw frames in a label's colour and line. */
function drawFrames(
  context: CanvasRenderingContext2D,
  frames: readonly Frame[],
  style: LabelStyle,
  width: number,
): void {
  if (style.dash.length === 0) {
    context.fillStyle = style.color;
    for (const frame of frames) fillFrame(context, frame, width);
    return;
  }
  const path = new Path2D();
  for (const frame of frames) path.rect(...frame);
  context.setLineDash([...style.dash]);
  context.lineWidth = width;
  context.strokeStyle = style.color;
  context.stroke(path);
}

/** Fill the four sides: without a GPU, several times as fast as stroking a rectangle. */
function fillFrame(context: CanvasRenderingContext2D, frame: Frame, thickness: number): void {
  const [left, top, width, height] = frame;
  const half = thickness / 2;
  context.fillRect(left - half, top - half, width + thickness, thickness);
  context.fillRect(left - half, top + height - half, width + thickness, thickness);
  const inner = Math.max(0, height - thickness);
  context.fillRect(left - half, top + half, thickness, inner);
  context.fillRect(left + width - half, top + half, thickness, inner);
}

function overlap(one: Rectangle, other: Rectangle): boolean {
  return (
    one.left < other.left + other.width &&
    other.left < one.left + one.width &&
    one.top < other.top + other.height &&
    other.top < one.top + one.height
  );
}

/** Whole CSS pixels, so that lines are sharp; the document keeps the exact numbers. */
function crisp(on: Rectangle): Frame {
  const left = Math.round(on.left);
  const top = Math.round(on.top);
  return [left, top, Math.round(on.left + on.width) - left, Math.round(on.top + on.height) - top];
}

function contextOf(canvas: HTMLCanvasElement, alpha: boolean): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { alpha });
  if (!context) throw new Error("This browser gives no 2D canvas; the box tool cannot draw.");
  return context;
}
