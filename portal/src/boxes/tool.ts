import { dialogOpen, h, isTyping, openDialog } from "../elements/dom";
import type { Json, JsonObject, Shortcut } from "../frame/protocol";
import { answerOf, readDraft, readInitialBoxes, writeDraft } from "./answer";
import { BoxList, describeBox } from "./box-list";
import {
  addBox,
  type BoxDocument,
  duplicateBox,
  EMPTY,
  type LabeledBox,
  neighbour,
  placeBox,
  relabelBox,
  removeBox,
  sameBoxes,
  select,
  selectedBox,
  setNothing,
} from "./document";
import {
  boxBetween,
  boxesAt,
  clampPoint,
  moveBox,
  type Point,
  type Rectangle,
  resizeBox,
  type Size,
  sameBox,
  snap,
} from "./geometry";
import { History } from "./history";
import { cursorOf, type Gesture, gestureAt, type Mode, tolerances } from "./interaction";
import { type Command, type KeyAction, keyAction, type Side } from "./keyboard";
import { LabelPanel } from "./label-panel";
import { FOREIGN_STYLE, type LabelStyle, labelStyle } from "./labels";
import { fetchPicture, type Picture, type PictureFault } from "./picture";
import { PointerInput, type PointerTarget } from "./pointer";
import { Renderer, type Scene } from "./renderer";
import { type TextKey, text } from "./texts";
import { type Adjustment, Toolbar } from "./toolbar";
import { fit, pan, reveal, toImage, toScreen, type View, ZOOM_STEP, zoomTo } from "./view";

/** Offset of a duplicate, in CSS pixels: far enough to see both. */
const DUPLICATE_OFFSET = 14;
const PAN_STEP = 60;
/** Announcements wait until a held key is released, or they would queue for minutes. */
const ANNOUNCE_DELAY_MILLISECONDS = 250;
/** A corner set by Enter must not submit the form by a second press of the same intention. */
const ENTER_REST_MILLISECONDS = 600;
const SHORTCUTS: readonly (readonly [keys: string | TextKey, does: TextKey])[] = [
  ["b", "keyDraw"],
  ["1 … 9, 0", "keyLabel"],
  ["l, /", "keySearch"],
  ["n, p", "keyNext"],
  ["arrows", "keyArrows"],
  ["Ctrl+↑↓←→", "keyEnd"],
  ["Alt+↑↓←→", "keyStart"],
  ["Delete", "keyDelete"],
  ["Ctrl+D", "keyDuplicate"],
  ["shiftDrag", "keyShiftDrag"],
  ["Ctrl+Z", "keyUndo"],
  ["Ctrl+Y, Ctrl+Shift+Z", "keyRedo"],
  ["e", "keyNothing"],
  ["z, o", "keyZoom"],
  ["wheel", "keyWheel"],
  ["f, a", "keyFit"],
  ["m", "keyPan"],
  ["d, c", "keyPicture"],
  ["h", "keyHide"],
  ["Shift+1 … 0", "keyLabelHide"],
  ["Escape", "keyCancel"],
];

export interface ToolPlaces {
  readonly stage: HTMLElement;
  readonly side: HTMLElement;
  readonly tools: HTMLElement;
}

export interface ToolOptions {
  readonly labels: readonly string[];
  /** The parsed `initial-value`, or undefined where there is none. */
  readonly initial: Json | undefined;
  readonly singleKeys: boolean;
  /** The work changed. */
  readonly onChange: () => void;
  readonly onLoaded: () => void;
  readonly onFault: (message: string) => void;
  readonly onSingleKeys: (on: boolean) => void;
}

/** A box that the hand or the keys are shaping; it becomes part of the document at the end. */
interface Shaping {
  readonly box: Rectangle;
  readonly label: string;
  /** The box of the document that it stands for, if it is none that is being drawn. */
  readonly id: number | undefined;
}

/** Keyboard drawing: where the crosshair is, and the first corner once it is set. */
interface Aim {
  readonly at: Point;
  readonly anchor: Point | undefined;
}

/** The bounding-box tool: keeps the document, carries out what pointer, keys and buttons ask for. */
export class BoxTool implements PointerTarget {
  readonly #surface = h("div", { class: "surface", role: "application", tabindex: 0 });
  readonly #hint = h("div", { class: "note hint", "aria-hidden": "true" });
  readonly #facts = h("div", { class: "note facts", "aria-hidden": "true" });
  readonly #message = h("div", { class: "message" });
  readonly #help = h("div", { id: "stage-help", class: "visually-hidden" });
  readonly #live = h("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  readonly #confirm = h("dialog", { "aria-labelledby": "confirm-title" });
  readonly #places: ToolPlaces;
  readonly #options: ToolOptions;
  readonly #styles = new Map<string, LabelStyle>();
  readonly #renderer: Renderer;
  readonly #pointer: PointerInput;
  readonly #labelPanel: LabelPanel;
  readonly #boxList: BoxList;
  readonly #toolbar: Toolbar;
  readonly #sizes: ResizeObserver;
  readonly #stops = new AbortController();

  #history = new History(EMPTY);
  #initial: BoxDocument = EMPTY;
  #draft: Json | undefined;
  #source = "";
  #image: Size | undefined;
  #fault: PictureFault | undefined;
  #loading = new AbortController();
  #picture: Picture | undefined;
  #stage: Size = { width: 0, height: 0 };
  #view: View = { scale: 1, x: 0, y: 0 };
  /** Whether the picture follows the stage's size. */
  #fitted = true;
  #label: string | undefined;
  #mode: Mode = "draw";
  #spaceHeld = false;
  #hiddenLabels: ReadonlySet<string> = new Set();
  #allHidden = false;
  #singleKeys: boolean;
  #shaping: Shaping | undefined;
  #shapedFrom: { box: Rectangle; at: Point } | undefined;
  #aim: Aim | undefined;
  #pointed: Point | undefined;
  #hovered: LabeledBox | undefined;
  #adjustments: Record<Adjustment, number> = { brightness: 100, contrast: 100 };
  #filter = "none";
  #atRest: { key: readonly unknown[]; boxes: readonly LabeledBox[] } | undefined;
  #active: Scene["active"];
  #announceTimer: ReturnType<typeof setTimeout> | undefined;
  #enterRestsUntil = 0;
  #frame = 0;
  #ratioQuery = "";

  constructor(places: ToolPlaces, options: ToolOptions) {
    this.#places = places;
    this.#options = options;
    this.#singleKeys = options.singleKeys;
    this.#label = options.labels[0];
    options.labels.forEach((label, position) => {
      this.#styles.set(label, labelStyle(position));
    });
    const styleOf = (label: string): LabelStyle => this.#styles.get(label) ?? FOREIGN_STYLE;
    const canvas = h("canvas", { "aria-hidden": "true" });
    this.#surface.append(canvas);
    this.#renderer = new Renderer(canvas, styleOf);
    this.#pointer = new PointerInput(this.#surface, this);
    this.#labelPanel = new LabelPanel(options.labels, styleOf, {
      choose: (label) => this.chooseLabel(label),
      toggle: (label) => this.#toggleLabel(label),
      leave: () => this.focus(),
    });
    this.#boxList = new BoxList(
      styleOf,
      (label) => this.#styles.has(label),
      (id) => this.#select(id),
      () => this.focus(),
    );
    this.#toolbar = new Toolbar({
      run: (command) => this.#run(command),
      adjust: (what, percent) => this.#adjust(what, percent),
      toggleSingleKeys: () => this.#toggleSingleKeys(),
      leave: () => this.focus(),
    });
    places.stage.append(
      this.#surface,
      this.#hint,
      this.#facts,
      this.#message,
      this.#help,
      this.#live,
      this.#confirm,
    );
    places.side.append(this.#labelPanel.element, this.#boxList.element);
    places.tools.append(this.#toolbar.element, this.#toolbar.nothing);
    this.#sizes = new ResizeObserver(() => this.#measure());
    this.#sizes.observe(this.#surface);
    this.#listen();
    this.write();
  }

  /** The boxes and the selection as they are now. */
  get document(): BoxDocument {
    return this.#history.present;
  }

  /** The picture's size in stored pixels, once it is loaded. */
  get image(): Size | undefined {
    return this.#image;
  }

  /** The transform between picture and stage. */
  get view(): View {
    return this.#view;
  }

  /** Whether the work differs from the initial value. */
  get modified(): boolean {
    const { boxes, nothing } = this.document;
    return nothing || !sameBoxes(boxes, this.#initial.boxes);
  }

  get answer(): JsonObject | undefined {
    return this.#image && answerOf(this.document, this.#image);
  }

  /** Return why the work cannot be submitted, if so. */
  problem(): string | undefined {
    if (!this.#image) return text("notLoaded");
    const { boxes, nothing } = this.document;
    // Boxes of an initial value that the worker rejects one by one still ask for the explicit word.
    return boxes.length === 0 && !nothing ? text("needBoxes") : undefined;
  }

  focus(): void {
    this.#surface.focus({ preventScroll: true });
  }

  /** Let go of everything outside the tool's own elements. */
  destroy(): void {
    this.#stops.abort();
    this.#sizes.disconnect();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#announceTimer);
    this.#loading.abort();
    this.#picture?.close();
  }

  /** Show a picture, and the boxes that belong on it. */
  async load(source: string): Promise<void> {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    this.#source = source;
    this.#image = undefined;
    this.#fault = undefined;
    this.#write();
    const result = await fetchPicture(source, signal);
    if (signal.aborted) {
      if ("close" in result) result.close();
      return;
    }
    if ("fault" in result) {
      this.#fault = result.fault;
      this.#write();
      this.#options.onFault(faultText(result.fault));
      return;
    }
    this.#picture?.close();
    this.#picture = result;
    this.#image = result.size;
    this.#renderer.setPicture(result.image);
    this.#initial = { ...EMPTY, boxes: readInitialBoxes(this.#options.initial, result.size) };
    this.#history = new History(this.#initial);
    this.#useDraft();
    this.#fitted = true;
    this.#measure();
    this.#write();
    this.#options.onLoaded();
  }

  /** Return the unfinished work; before the picture is there, what was to be restored. */
  draft(): Json | undefined {
    if (!this.#image) return this.#draft;
    return writeDraft(this.document, this.#history.past, this.#label, this.#image);
  }

  restore(draft: Json): void {
    this.#draft = draft;
    if (this.#image) this.#useDraft();
    this.#refresh();
  }

  #useDraft(): void {
    const draft = this.#image && readDraft(this.#draft, this.#image);
    if (!draft) return;
    this.#history = new History(draft.document, draft.past);
    if (draft.label !== undefined && this.#styles.has(draft.label)) this.#label = draft.label;
  }

  /** Go back to the initial value; this, too, can be undone. */
  reset(): void {
    this.#commit({ ...this.#initial, selected: undefined });
  }

  setSingleKeys(on: boolean): void {
    this.#singleKeys = on;
    this.#showToolbar();
  }

  shortcuts(): readonly Shortcut[] {
    return SHORTCUTS.map(([keys, does]) => ({
      keys: keys === "arrows" || keys === "wheel" || keys === "shiftDrag" ? text(keys) : keys,
      does: text(does),
    }));
  }

  /** Write all texts anew in the current language. */
  write(): void {
    this.#surface.setAttribute("aria-label", text("stage"));
    this.#surface.setAttribute("aria-describedby", "stage-help");
    this.#help.textContent = text("stageHelp");
    this.#labelPanel.write();
    this.#boxList.write();
    this.#toolbar.write();
    this.#write();
  }

  #write(): void {
    const ready = this.#image !== undefined;
    this.#message.hidden = ready;
    this.#surface.tabIndex = ready ? 0 : -1;
    if (!ready) this.#message.replaceChildren(...this.#messageParts());
    this.#refresh();
  }

  #messageParts(): HTMLElement[] {
    if (!this.#fault) return [h("p", { role: "status" }, text("loading"))];
    const again = h("button", { type: "button", class: "button primary" }, text("tryAgain"));
    again.addEventListener("click", () => void this.load(this.#source));
    return [
      h(
        "div",
        { role: "alert" },
        h("p", { class: "title" }, text("failed")),
        h("p", {}, faultText(this.#fault)),
      ),
      h("p", {}, text("failedHelp")),
      again,
    ];
  }

  // Changes

  #commit(next: BoxDocument, mergeKey?: string): void {
    const before = this.document;
    this.#history.commit(next, performance.now(), mergeKey);
    this.#refresh();
    if (before.boxes !== this.document.boxes || before.nothing !== this.document.nothing) {
      this.#options.onChange();
    }
  }

  /** Make a label the one to draw with, and give it to the selected box or the one being drawn. */
  chooseLabel(label: string): void {
    this.#label = label;
    this.#setHidden(label, false);
    if (this.#shaping) this.#shaping = { ...this.#shaping, label };
    const { selected } = this.document;
    if (selected === undefined) this.#announce(text("labelChosen", { label }));
    else {
      this.#commit(relabelBox(this.document, selected, label));
      this.#announce(text("relabelled", { label }));
    }
    this.#options.onChange();
    this.#refresh();
  }

  #select(id: number | undefined): void {
    const { boxes } = this.document;
    this.#commit(select(this.document, id));
    const position = boxes.findIndex((box) => box.id === id);
    const box = boxes[position];
    if (!box || !this.#image) {
      this.#announce(text("deselected"));
      return;
    }
    this.#setView(reveal(this.#view, box, this.#image, this.#stage), this.#fitted);
    this.#announce(text("selected", { row: describeBox(box, position + 1) }));
  }

  #delete(): void {
    const box = selectedBox(this.document);
    if (!box) return;
    this.#commit(removeBox(this.document, box.id));
    this.#announce(text("deleted", { label: box.label, count: this.document.boxes.length }));
  }

  #duplicate(): void {
    const box = selectedBox(this.document);
    if (!box || !this.#image) return;
    const offset = Math.max(1, Math.round(DUPLICATE_OFFSET / this.#view.scale));
    this.#commit(duplicateBox(this.document, box.id, offset, this.#image));
    this.#announce(text("duplicated", { label: box.label, count: this.document.boxes.length }));
  }

  #step(back: boolean): void {
    this.#cancel();
    const stepped = back ? this.#history.undo() : this.#history.redo();
    const done = back ? "undone" : "redone";
    const none = back ? "nothingToUndo" : "nothingToRedo";
    this.#announce(text(stepped ? done : none, { count: this.document.boxes.length }));
    if (!stepped) return;
    this.#refresh();
    this.#options.onChange();
  }

  #toggleNothing(): void {
    const { boxes, nothing } = this.document;
    if (!nothing && boxes.length > 0) {
      this.#askNothing(boxes.length);
      return;
    }
    this.#setNothing(!nothing);
  }

  #setNothing(nothing: boolean): void {
    this.#cancel();
    this.#commit(setNothing(this.document, nothing));
    this.#announce(text(nothing ? "nothingSet" : "nothingCleared"));
  }

  #askNothing(count: number): void {
    const yes = h("button", { type: "button", class: "button primary" }, text("confirmYes"));
    const no = h("button", { type: "button", class: "button" }, text("confirmNo"));
    yes.addEventListener("click", () => {
      this.#confirm.close();
      this.#setNothing(true);
    });
    no.addEventListener("click", () => this.#confirm.close());
    this.#confirm.replaceChildren(
      h("div", { class: "dialog-head" }, h("h2", { id: "confirm-title" }, text("confirmTitle"))),
      h("div", { class: "dialog-body" }, text("confirmText", { count })),
      h("div", { class: "dialog-foot" }, no, yes),
    );
    openDialog(this.#confirm);
    yes.focus();
  }

  #nudge(dx: number, dy: number, side: Side): void {
    const box = selectedBox(this.document);
    if (!box || !this.#image) return;
    const moved = nudged(box, dx, dy, side, this.#image);
    this.#commit(placeBox(this.document, box.id, moved), `nudge ${box.id} ${side}`);
    this.#setView(reveal(this.#view, moved, this.#image, this.#stage), this.#fitted);
    this.#announce(
      text("moved", {
        left: moved.left,
        top: moved.top,
        width: moved.width,
        height: moved.height,
      }),
    );
  }

  // Keyboard drawing

  #startAim(): void {
    if (!this.#image || this.#aim) return;
    const middle = { x: this.#stage.width / 2, y: this.#stage.height / 2 };
    const at = snap(this.#pointed ?? toImage(this.#view, middle), this.#image);
    this.#aim = { at, anchor: undefined };
    this.#commit(select(this.document, undefined));
    this.#announce(text("aiming", { x: at.x, y: at.y }));
  }

  #moveAim(aim: Aim, dx: number, dy: number): void {
    if (!this.#image) return;
    const at = clampPoint({ x: aim.at.x + dx, y: aim.at.y + dy }, this.#image);
    this.#setAim({ ...aim, at });
    const spot = { left: at.x, top: at.y, width: 0, height: 0 };
    this.#setView(reveal(this.#view, spot, this.#image, this.#stage), this.#fitted);
    if (this.#shaping) {
      const { width, height } = this.#shaping.box;
      this.#announce(text("growing", { width, height }));
    } else this.#announce(text("aimedAt", { x: at.x, y: at.y }));
  }

  #setAim(aim: Aim): void {
    this.#aim = aim;
    if (aim.anchor && this.#image && this.#label !== undefined) {
      const box = boxBetween(aim.anchor, aim.at, this.#image);
      this.#shaping = { box, label: this.#shaping?.label ?? this.#label, id: undefined };
    }
    this.#render();
  }

  #setCorner(aim: Aim): void {
    this.#enterRestsUntil = performance.now() + ENTER_REST_MILLISECONDS;
    if (!aim.anchor) {
      this.#setAim({ at: aim.at, anchor: aim.at });
      this.#announce(text("anchored", { x: aim.at.x, y: aim.at.y }));
      return;
    }
    this.#aim = undefined;
    this.#finishShape();
  }

  /** Put the box that was shaped into the document. */
  #finishShape(): void {
    const shape = this.#shaping;
    this.#shaping = undefined;
    this.#shapedFrom = undefined;
    if (!shape) return;
    const { width, height } = shape.box;
    if (shape.id === undefined) {
      this.#setHidden(shape.label, false);
      this.#commit(addBox(this.document, shape.box, shape.label));
      const count = this.document.boxes.length;
      this.#announce(text("drawn", { label: shape.label, width, height, count }));
    } else {
      this.#commit(placeBox(this.document, shape.id, shape.box));
      const { left, top } = shape.box;
      this.#announce(text("moved", { left, top, width, height }));
    }
  }

  /** Give up the box that is being shaped, or the keyboard's crosshair. */
  #cancel(): boolean {
    const cancelled = this.#pointer.cancel() || this.#shaping !== undefined;
    const aimed = this.#aim !== undefined;
    this.#shaping = undefined;
    this.#shapedFrom = undefined;
    this.#aim = undefined;
    if (cancelled || aimed) this.#announce(text("cancelled"));
    this.#render();
    return cancelled || aimed;
  }

  // Pointer

  gestureAt(at: Point, pointerType: string, event: PointerEvent | MouseEvent): Gesture {
    if (!this.#image) return { type: "pan" };
    return gestureAt(
      {
        at: toImage(this.#view, at),
        reach: tolerances(pointerType).reach / this.#view.scale,
        mode: this.#mode,
        pans: this.#spaceHeld || event.button === 1,
        draws: event.shiftKey,
      },
      this.#aim ? undefined : this.#visibleSelected(),
    );
  }

  hover(at: Point | undefined, pointerType: string, event: PointerEvent | undefined): void {
    if (!this.#image) return;
    const { x, y } = at ? toImage(this.#view, at) : { x: 0, y: 0 };
    this.#pointed = at && { x, y };
    if (at && event) {
      const gesture = this.gestureAt(at, pointerType, event);
      this.#surface.style.cursor = cursorOf(gesture);
      this.#hovered = gesture.type === "draw" ? this.#topmostAt(at, pointerType) : undefined;
      // A mouse that moves takes over from the keyboard's crosshair; the first corner stays.
      if (this.#aim) this.#setAim({ ...this.#aim, at: snap({ x, y }, this.#image) });
    } else this.#hovered = undefined;
    this.#render();
  }

  click(at: Point, pointerType: string): void {
    this.focus();
    if (!this.#image) return;
    if (this.#aim) {
      this.#setAim({ ...this.#aim, at: snap(toImage(this.#view, at), this.#image) });
      this.#setCorner(this.#aim);
      return;
    }
    const shown = this.document.boxes.filter((box) => this.#isVisible(box));
    const reach = tolerances(pointerType).reach / this.#view.scale / 2;
    const under = boxesAt(shown, toImage(this.#view, at), reach).map((place) => shown[place]?.id);
    // Clicking again goes on to what lies beneath.
    const present = under.indexOf(this.document.selected);
    const next = under[(present + 1) % Math.max(under.length, 1)];
    if (next !== this.document.selected) this.#select(next);
  }

  begin(gesture: Gesture, at: Point): void {
    this.focus();
    if (!this.#image) return;
    this.#hovered = undefined;
    const point = toImage(this.#view, at);
    const selected = this.#visibleSelected();
    if (gesture.type === "draw" && this.#label !== undefined) {
      this.#aim = undefined;
      this.#commit(select(this.document, undefined));
      const corner = snap(point, this.#image);
      const box = boxBetween(corner, corner, this.#image);
      this.#shaping = { box, label: this.#label, id: undefined };
      this.#shapedFrom = { box, at: corner };
    } else if (selected && (gesture.type === "move" || gesture.type === "resize")) {
      this.#shaping = { box: selected, label: selected.label, id: selected.id };
      this.#shapedFrom = { box: selected, at: point };
    } else if (gesture.type === "pan") this.#surface.style.cursor = "grabbing";
  }

  move(gesture: Gesture, at: Point, before: Point): void {
    if (!this.#image) return;
    if (gesture.type === "pan") {
      this.pan(at.x - before.x, at.y - before.y);
      return;
    }
    const from = this.#shapedFrom;
    if (!from || !this.#shaping) return;
    const point = toImage(this.#view, at);
    this.#pointed = point;
    const [dx, dy] = [point.x - from.at.x, point.y - from.at.y];
    const box =
      gesture.type === "draw"
        ? boxBetween(from.at, point, this.#image)
        : gesture.type === "move"
          ? moveBox(from.box, dx, dy, this.#image)
          : resizeBox(from.box, gesture.handle, dx, dy, this.#image);
    if (!sameBox(box, this.#shaping.box)) this.#shaping = { ...this.#shaping, box };
    this.#render();
  }

  end(gesture: Gesture): void {
    if (gesture.type !== "pan") this.#finishShape();
  }

  cancel(_gesture: Gesture): void {
    this.#shaping = undefined;
    this.#shapedFrom = undefined;
    this.#render();
  }

  zoom(factor: number, at: Point): void {
    if (!this.#image) return;
    this.#setView(zoomTo(this.#view, this.#view.scale * factor, at, this.#image, this.#stage));
  }

  pan(dx: number, dy: number): void {
    if (this.#image) this.#setView(pan(this.#view, dx, dy, this.#image, this.#stage));
  }

  #topmostAt(at: Point, pointerType: string): LabeledBox | undefined {
    const reach = tolerances(pointerType).reach / this.#view.scale / 2;
    const shown = this.document.boxes.filter((box) => this.#isVisible(box));
    return shown[boxesAt(shown, toImage(this.#view, at), reach)[0] ?? -1];
  }

  // View

  #setView(view: View, fitted = false): void {
    this.#fitted = fitted && view === this.#view;
    if (view === this.#view) return;
    this.#view = view;
    this.#render();
  }

  #fit(): void {
    if (!this.#image) return;
    this.#view = fit(this.#image, this.#stage);
    this.#fitted = true;
    this.#render();
  }

  /** Zoom where the eye is: at the pointer, the crosshair, the selected box, or the middle. */
  #zoomByKey(scale: number): void {
    if (!this.#image) return;
    const box = this.#visibleSelected();
    const focus =
      this.#aim?.at ??
      this.#pointed ??
      (box && { x: box.left + box.width / 2, y: box.top + box.height / 2 });
    const at = focus
      ? toScreen(this.#view, focus)
      : { x: this.#stage.width / 2, y: this.#stage.height / 2 };
    this.#setView(zoomTo(this.#view, scale, at, this.#image, this.#stage));
    this.#announce(text("zoomed", { percent: Math.round(this.#view.scale * 100) }));
  }

  #measure(): void {
    this.#pointer.moved();
    const { clientWidth: width, clientHeight: height } = this.#surface;
    if (width === 0 || height === 0) return;
    const before = this.#stage;
    this.#stage = { width, height };
    if (this.#image) {
      this.#view = this.#fitted
        ? fit(this.#image, this.#stage)
        : pan(
            this.#view,
            (width - before.width) / 2,
            (height - before.height) / 2,
            this.#image,
            this.#stage,
          );
    }
    const { backgroundColor } = getComputedStyle(this.#surface);
    this.#renderer.resize(this.#stage, window.devicePixelRatio || 1, backgroundColor);
    this.#watchRatio();
    // At once, for resizing has cleared the canvases, and this frame is about to be shown.
    this.#paint();
  }

  /** The page moved to a screen of another density, or its zoom changed: canvases get new pixels. */
  #watchRatio(): void {
    const query = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    if (query.media === this.#ratioQuery) return;
    this.#ratioQuery = query.media;
    const { signal } = this.#stops;
    query.addEventListener("change", () => this.#measure(), { once: true, signal });
  }

  #adjust(what: Adjustment, percent: number): void {
    this.#adjustments[what] = percent;
    const { brightness, contrast } = this.#adjustments;
    const neutral = brightness === 100 && contrast === 100;
    this.#filter = neutral ? "none" : `brightness(${brightness}%) contrast(${contrast}%)`;
    this.#render();
  }

  // Visibility

  #isVisible(box: LabeledBox): boolean {
    return !this.#allHidden && !this.#hiddenLabels.has(box.label);
  }

  #visibleSelected(): LabeledBox | undefined {
    const box = selectedBox(this.document);
    return box && this.#isVisible(box) ? box : undefined;
  }

  #setHidden(label: string, hidden: boolean): void {
    if (!hidden) this.#allHidden = false;
    if (this.#hiddenLabels.has(label) === hidden) return;
    const labels = new Set(this.#hiddenLabels);
    if (hidden) labels.add(label);
    else labels.delete(label);
    this.#hiddenLabels = labels;
  }

  #toggleLabel(label: string): void {
    const hidden = !this.#hiddenLabels.has(label);
    this.#setHidden(label, hidden);
    this.#announce(text(hidden ? "labelHidden" : "labelShown", { label }));
    this.#refresh();
  }

  #toggleAll(): void {
    this.#allHidden = !this.#allHidden;
    this.#announce(text(this.#allHidden ? "hidden" : "shown"));
    this.#refresh();
  }

  // Keys

  #listen(): void {
    const { signal } = this.#stops;
    // Before the form's own listener, which takes Enter for Submit.
    document.addEventListener("keydown", (event) => this.#onKey(event), { signal, capture: true });
    document.addEventListener("keyup", (event) => this.#onKeyUp(event), { signal, capture: true });
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.#measure(), { signal });
    window.addEventListener("scroll", () => this.#pointer.moved(), { signal, capture: true });
    window.addEventListener("blur", () => this.#holdSpace(false), { signal });
    this.#places.stage.addEventListener("pointerdown", () => this.#toolbar.closeSliders());
  }

  #onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || dialogOpen() || !this.#image) return;
    if (isTyping(event) || !this.#isShown()) return;
    const target = event.composedPath()[0];
    const onStage = target === this.#surface;
    const anywhere = onStage || target === document.body || target === document.documentElement;
    if (event.key === " ") {
      if (!anywhere) return;
      event.preventDefault();
      this.#holdSpace(true);
      return;
    }
    const character = !event.ctrlKey && !event.metaKey && event.key.length === 1;
    if (character && !onStage && !this.#singleKeys) return;
    const action = keyAction(event, this.#aim !== undefined);
    if (!action) return;
    // Arrow keys and Enter belong to the list, slider or button that has the focus.
    if ((action.type === "arrow" || action.type === "confirm") && !anywhere) return;
    if (event.repeat && !isRepeatable(action)) {
      event.preventDefault();
      return;
    }
    if (this.#act(action)) event.preventDefault();
  }

  #onKeyUp(event: KeyboardEvent): void {
    if (event.key === " ") this.#holdSpace(false);
  }

  #holdSpace(held: boolean): void {
    if (held === this.#spaceHeld) return;
    this.#spaceHeld = held;
    this.#surface.style.cursor = held || this.#mode === "pan" ? "grab" : "crosshair";
    this.#render();
  }

  #isShown(): boolean {
    return this.#surface.isConnected && this.#surface.clientWidth > 0;
  }

  /** Carry out a key's action; returns whether the key was used. */
  #act(action: KeyAction): boolean {
    switch (action.type) {
      case "arrow":
        return this.#arrow(action.dx, action.dy, action.side);
      case "label":
      case "label-visibility": {
        const label = this.#options.labels[action.position];
        if (label === undefined) return false;
        if (action.type === "label") this.chooseLabel(label);
        else this.#toggleLabel(label);
        return true;
      }
      case "confirm":
        if (!this.#aim) return performance.now() < this.#enterRestsUntil;
        this.#setCorner(this.#aim);
        return true;
      case "cancel":
        return this.#escape();
      case "draw":
        this.#run("draw");
        this.focus();
        this.#startAim();
        return true;
      case "delete":
        if (this.document.selected === undefined) return false;
        this.#run("delete");
        return true;
      default:
        this.#run(action.type);
        return true;
    }
  }

  #arrow(dx: number, dy: number, side: Side): boolean {
    if (this.#aim) this.#moveAim(this.#aim, dx, dy);
    else if (this.#visibleSelected()) this.#nudge(dx, dy, side);
    else if (side === "all") this.pan(-Math.sign(dx) * PAN_STEP, -Math.sign(dy) * PAN_STEP);
    else return false;
    return true;
  }

  #escape(): boolean {
    if (this.#cancel()) return true;
    if (this.document.selected === undefined) return false;
    this.#select(undefined);
    return true;
  }

  #run(command: Command): void {
    if (!this.#image) return;
    switch (command) {
      case "draw":
      case "pan":
        this.#setMode(command);
        break;
      case "next":
      case "previous": {
        const step = command === "next" ? 1 : -1;
        const id = neighbour(this.document, step, (box) => this.#isVisible(box));
        this.#cancel();
        if (id !== undefined) this.#select(id);
        break;
      }
      case "delete":
        this.#delete();
        break;
      case "duplicate":
        this.#duplicate();
        break;
      case "undo":
      case "redo":
        this.#step(command === "undo");
        break;
      case "zoom-in":
        this.#zoomByKey(this.#view.scale * ZOOM_STEP);
        break;
      case "zoom-out":
        this.#zoomByKey(this.#view.scale / ZOOM_STEP);
        break;
      case "fit":
        this.#fit();
        this.#announce(text("zoomed", { percent: Math.round(this.#view.scale * 100) }));
        break;
      case "actual-size":
        // One pixel of the picture on one of the screen.
        this.#zoomByKey(1 / (window.devicePixelRatio || 1));
        break;
      case "brightness":
      case "contrast":
        this.#toolbar.toggleSlider(command);
        break;
      case "hide":
        this.#toggleAll();
        break;
      case "search":
        this.#labelPanel.search();
        break;
      case "nothing":
        this.#toggleNothing();
        break;
      case "cancel":
      case "confirm":
        break;
    }
  }

  #setMode(mode: Mode): void {
    if (mode !== this.#mode) this.#cancel();
    this.#mode = mode;
    this.#surface.style.cursor = mode === "pan" ? "grab" : "crosshair";
    this.#refresh();
  }

  #toggleSingleKeys(): void {
    this.setSingleKeys(!this.#singleKeys);
    this.#options.onSingleKeys(this.#singleKeys);
  }

  // Showing

  /** Bring panels, buttons and picture up to date. */
  #refresh(): void {
    const { document } = this;
    const counts = new Map<string, number>();
    for (const { label } of document.boxes) counts.set(label, (counts.get(label) ?? 0) + 1);
    this.#labelPanel.show({ chosen: this.#label, counts, hidden: this.#hiddenLabels });
    this.#boxList.show({ document, hidden: (box) => !this.#isVisible(box) });
    this.#showToolbar();
    this.#render();
  }

  #showToolbar(): void {
    const { selected, nothing } = this.document;
    const pressed = new Set<Command | "single-keys">([this.#mode]);
    if (this.#allHidden) pressed.add("hide");
    if (nothing) pressed.add("nothing");
    if (this.#singleKeys) pressed.add("single-keys");
    const disabled = new Set<Command>();
    if (!this.#history.canUndo) disabled.add("undo");
    if (!this.#history.canRedo) disabled.add("redo");
    if (selected === undefined) disabled.add("delete").add("duplicate");
    if (!this.#image) {
      for (const command of [
        "draw",
        "pan",
        "zoom-in",
        "zoom-out",
        "fit",
        "actual-size",
        "hide",
        "nothing",
      ] as const) {
        disabled.add(command);
      }
    }
    this.#toolbar.show({ pressed, disabled });
  }

  /** Show the present state at the next frame: a mouse may report many times between two. */
  #render(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint(): void {
    if (!this.#image) {
      this.#hint.hidden = true;
      this.#facts.hidden = true;
      return;
    }
    this.#hint.hidden = false;
    this.#facts.hidden = false;
    setText(this.#hint, text(this.#hintKey()));
    setText(this.#facts, this.#factsText(this.#image));
    this.#renderer.draw({
      view: this.#view,
      boxes: this.#boxesAtRest(),
      active: this.#activeBox(),
      hovered: this.#hovered,
      crosshair: this.#crosshair(),
      measured: this.#shaping !== undefined,
      filter: this.#filter,
    });
  }

  #hintKey(): TextKey {
    if (this.#aim) return this.#aim.anchor ? "hintGrow" : "hintAim";
    if (this.#mode === "pan") return "hintPan";
    return this.document.selected === undefined ? "hintDraw" : "hintSelected";
  }

  #factsText(image: Size): string {
    const at = this.#aim?.at ?? this.#pointed;
    const percent = Math.round(this.#view.scale * (window.devicePixelRatio || 1) * 100);
    const inside = at && clampPoint(at, image);
    const position = inside
      ? `${text("position", { x: Math.floor(inside.x), y: Math.floor(inside.y) })}   `
      : "";
    return `${position}${image.width} × ${image.height}   ${percent}%`;
  }

  /** The boxes that the hand is not on; the same list as long as it has the same content. */
  #boxesAtRest(): readonly LabeledBox[] {
    const active = this.#shaping ? this.#shaping.id : this.document.selected;
    const key = [this.document.boxes, active, this.#hiddenLabels, this.#allHidden];
    if (this.#atRest?.key.every((part, position) => part === key[position])) {
      return this.#atRest.boxes;
    }
    const boxes = this.document.boxes.filter((box) => box.id !== active && this.#isVisible(box));
    this.#atRest = { key, boxes };
    return boxes;
  }

  #activeBox(): Scene["active"] {
    const shown = this.#shaping ?? this.#selectedShape();
    const handles = this.#shaping?.id !== undefined || this.#shaping === undefined;
    if (!shown) this.#active = undefined;
    else if (
      this.#active?.box !== shown.box ||
      this.#active.label !== shown.label ||
      this.#active.handles !== handles
    ) {
      this.#active = { box: shown.box, label: shown.label, handles };
    }
    return this.#active;
  }

  #selectedShape(): { box: Rectangle; label: string } | undefined {
    const box = this.#visibleSelected();
    return box && { box, label: box.label };
  }

  #crosshair(): Point | undefined {
    if (this.#aim) return this.#aim.at;
    const draws = this.#shaping ? this.#shaping.id === undefined : this.#cursorDraws();
    return draws ? this.#pointed : undefined;
  }

  #cursorDraws(): boolean {
    return this.#mode === "draw" && this.#surface.style.cursor === "crosshair";
  }

  #announce(message: string): void {
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => {
      // The same sentence twice is only read twice if the text changes in between.
      const same = this.#live.textContent === message;
      this.#live.textContent = same ? `${message}\u00a0` : message;
    }, ANNOUNCE_DELAY_MILLISECONDS);
  }
}

function nudged(box: Rectangle, dx: number, dy: number, side: Side, image: Size): Rectangle {
  if (side === "all") return moveBox(box, dx, dy, image);
  const sign = side === "end" ? 1 : -1;
  const handle = { x: dx === 0 ? 0 : sign, y: dy === 0 ? 0 : sign } as const;
  return resizeBox(box, handle, dx, dy, image);
}

function isRepeatable(action: KeyAction): boolean {
  return ["arrow", "zoom-in", "zoom-out", "undo", "redo", "next", "previous"].includes(action.type);
}

function faultText(fault: PictureFault): string {
  switch (fault.reason) {
    case "empty":
      return text("failedEmpty");
    case "network":
      return text("failedNetwork");
    case "status":
      return text("failedStatus", { status: fault.status });
    case "broken":
      return text("failedBroken");
  }
}

/** Writing the same text again would make the browser lay it out again. */
function setText(element: HTMLElement, content: string): void {
  if (element.textContent !== content) element.textContent = content;
}
