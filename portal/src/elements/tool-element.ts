import { frame } from "../frame/client";
import type { Json } from "../frame/protocol";
import { AnswerElement } from "./answer-element";
import { closeButton, closeOnBackdrop, h, openDialog } from "./dom";
import { text } from "./texts";
import { CONTROLS, sheet, THEME } from "./theme";

const NARROW_PIXELS = 760;
const REGIONS = [
  "short-instructions",
  "full-instructions",
  "classification-target",
  "worker-comment",
];
const SETTING_INSTRUCTIONS = "instructionsOpen";

const LAYOUT = sheet(`
:host { display: block; min-height: min(560px, 85vh); height: 75vh; color: var(--gw-text); font: 15px/1.55 var(--gw-font); }
:host([hidden]) { display: none; }
:host([data-fills]) { height: auto; min-height: 0; flex: 1; }
.tool {
  position: relative; container-type: size; height: 100%; display: grid; background: var(--gw-page);
  grid-template: "head head head" auto "aside stage side" minmax(0, 1fr) "bar bar bar" auto
    / auto minmax(0, 1fr) auto;
}
:host(:not([data-fills])) .tool { border: 1px solid var(--gw-line); border-radius: var(--gw-radius); overflow: hidden; }
.head {
  grid-area: head; display: flex; align-items: center; gap: 12px; min-height: 48px;
  padding: 6px 12px; border-bottom: 1px solid var(--gw-line);
}
.head h2 { flex: 1; margin: 0; font-size: 16px; line-height: 1.35; font-weight: 600; overflow-wrap: anywhere; }
.aside {
  grid-area: aside; width: clamp(200px, 24cqw, 300px); overflow: auto; padding: 14px 16px;
  border-right: 1px solid var(--gw-line); background: var(--gw-surface); overflow-wrap: anywhere;
}
.aside h3 { margin: 0 0 8px; font-size: 14px; }
.aside .more { margin-top: 12px; }
.stage { grid-area: stage; position: relative; min-width: 0; min-height: 0; overflow: hidden; background: var(--gw-stage); }
.side {
  grid-area: side; width: clamp(200px, 24cqw, 280px); min-height: 0; display: flex;
  flex-direction: column; overflow: auto; border-left: 1px solid var(--gw-line);
}
.side:empty { display: none; }
.bar {
  grid-area: bar; display: flex; align-items: center; gap: 12px; min-height: 52px; padding: 8px 12px;
  border-top: 1px solid var(--gw-line);
}
.bar:not(.used) { display: none; }
.bar-tools { flex: 1; min-width: 0; display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; }
.bar-submit { display: contents; }
.notice { padding: 12px 16px; margin: 12px; border-radius: var(--gw-radius); background: var(--gw-danger-soft); color: var(--gw-text); border-left: 4px solid var(--gw-danger); }
.notice p { margin: 0 0 4px; }
@container (max-width: ${NARROW_PIXELS}px) {
  .head, .aside, .stage, .side, .bar { min-width: 0; }
  /* Over the stage, however high the head is. */
  .aside { position: absolute; z-index: 3; grid-row: 2; grid-column: 1 / -1; top: 0; left: 0; max-height: 100%; width: min(320px, 92%); border-bottom: 1px solid var(--gw-line); box-shadow: var(--gw-shadow); }
  .side { grid-row: 3; grid-column: 1 / -1; width: auto; max-height: 40cqh; border-left: 0; border-top: 1px solid var(--gw-line); }
  .bar { grid-row: 4; grid-column: 1 / -1; }
}
`);

/** The places of a tool's layout that its element fills. */
export interface ToolParts {
  /** The middle: the image, or what is classified. */
  readonly stage: HTMLElement;
  /** The right panel: labels or categories. Left empty, it is not shown. */
  readonly side: HTMLElement;
  /** The bottom bar's left part; the form puts its Submit button to the right of it. */
  readonly tools: HTMLElement;
}

/**
 * A large element: short instructions at the left (collapsible), work in the middle, labels at
 * the right, tools and Submit below; full instructions in a dialog.
 *
 * The author's regions stay in the light DOM and are shown through slots. Subclasses fill
 * `parts` and implement the answer; `super.connectedCallback()` must be called first.
 */
export abstract class ToolElement extends AnswerElement {
  /** The style sheet of a subclass, adopted after the layout's. */
  static readonly sheets: readonly CSSStyleSheet[] = [];

  protected readonly root: ShadowRoot;
  protected readonly parts: ToolParts;
  readonly #heading = h("h2", { id: "heading" });
  readonly #toggle = h("button", {
    type: "button",
    class: "button",
    "aria-expanded": "true",
    "aria-controls": "aside",
  });
  readonly #aside = h("aside", { id: "aside", class: "aside", tabindex: 0 });
  readonly #asideTitle = h("h3", {});
  readonly #more = h("button", { type: "button", class: "link" });
  readonly #dialog = h("dialog", { "aria-labelledby": "dialog-title" });
  readonly #dialogTitle = h("h2", { id: "dialog-title" });
  readonly #dialogClose = closeButton("");
  readonly #bar = h("div", { class: "bar" });
  readonly #submitPlace = h("div", { class: "bar-submit" });
  #problem: { readonly attribute: string; readonly problem: string } | undefined;
  /** Until there is a size, as in a frame that is prepared out of sight, nothing is narrow. */
  readonly #size = new ResizeObserver(() => this.#sizeKnown());
  readonly #regions = new MutationObserver(() => this.#assignRegions());

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open" });
    this.root.adoptedStyleSheets = [
      THEME,
      CONTROLS,
      LAYOUT,
      ...(this.constructor as typeof ToolElement).sheets,
    ];
    this.parts = {
      stage: h("div", { class: "stage" }),
      side: h("div", { class: "side" }),
      tools: h("div", { class: "bar-tools" }),
    };
    this.#aside.append(
      this.#asideTitle,
      h("slot", { name: "short-instructions" }),
      h("div", { class: "more" }, this.#more),
    );
    this.#bar.append(this.parts.tools, this.#submitPlace);
    this.#dialog.append(
      h("div", { class: "dialog-head" }, this.#dialogTitle, this.#dialogClose),
      h("div", { class: "dialog-body" }, h("slot", { name: "full-instructions" })),
    );
    this.root.append(
      h(
        "div",
        { class: "tool", part: "tool" },
        h("div", { class: "head" }, this.#toggle, this.#heading),
        this.#aside,
        this.parts.stage,
        this.parts.side,
        this.#bar,
      ),
      this.#dialog,
    );
    this.#toggle.addEventListener("click", () =>
      this.#showInstructions(this.#toggle.getAttribute("aria-expanded") === "false", true),
    );
    this.#more.addEventListener("click", () => openDialog(this.#dialog));
    this.#dialogClose.addEventListener("click", () => this.#dialog.close());
    closeOnBackdrop(this.#dialog);
  }

  connectedCallback(): void {
    this.setAttribute("role", "group");
    this.#assignRegions();
    this.#regions.observe(this, { childList: true });
    this.#bar.classList.toggle("used", this.#barIsUsed());
    this.#size.observe(this);
    this.#write();
  }

  disconnectedCallback(): void {
    this.#regions.disconnect();
    this.#size.disconnect();
  }

  override localeChanged(): void {
    this.#write();
    this.#writeProblem();
  }

  /** The answer, as templates' scripts read it (`document.querySelector("crowd-...").value`). */
  get value(): Json {
    return this.answer() ?? {};
  }

  /** Take the form's Submit button into the bottom bar. */
  placeSubmit(button: HTMLElement): void {
    this.#submitPlace.replaceChildren(button);
    this.#bar.classList.add("used");
  }

  /** Bring back what the worker chose in earlier tasks; called when the page answers. */
  settingsArrived(): void {
    if (this.clientWidth > 0) this.#sizeKnown();
  }

  /** Open the full instructions. */
  openInstructions(): void {
    if (!this.#more.hidden) openDialog(this.#dialog);
  }

  /** Say in the stage's place that the template is wrong, and tell the page. */
  protected templateProblem(attribute: string, problem: string): void {
    const told = this.#problem?.attribute === attribute;
    this.#problem = { attribute, problem };
    const message = this.#writeProblem();
    if (!told) frame().send({ type: "error", message });
  }

  #writeProblem(): string {
    if (this.#problem === undefined) return "";
    const message = text("badAttribute", { ...this.#problem, element: this.localName });
    this.parts.stage.replaceChildren(
      h(
        "div",
        { class: "notice", role: "alert" },
        h("p", {}, message),
        h("p", {}, text("badTemplate")),
      ),
    );
    return message;
  }

  /** Beside the work there is room for instructions on wide screens only. */
  #sizeKnown(): void {
    if (this.clientWidth === 0) return;
    this.#size.disconnect();
    const wide = this.clientWidth > NARROW_PIXELS;
    this.#showInstructions(wide && frame().settings[SETTING_INSTRUCTIONS] !== false, false);
  }

  #barIsUsed(): boolean {
    return this.parts.tools.childElementCount > 0 || this.#submitPlace.childElementCount > 0;
  }

  #assignRegions(): void {
    for (const child of this.children) {
      const region = child.localName;
      if (REGIONS.includes(region) && child.slot !== region) child.slot = region;
    }
    const short = this.querySelector(":scope > short-instructions");
    const full = this.querySelector(":scope > full-instructions");
    const hasShort = short !== null && short.textContent.trim() + short.innerHTML !== "";
    this.#more.hidden = full === null;
    const useful = hasShort || full !== null;
    this.#toggle.hidden = !useful;
    if (!useful) this.#aside.hidden = true;
    this.#dialogTitle.textContent = full?.getAttribute("header") || text("instructions");
    this.#asideTitle.textContent = short?.getAttribute("header") || text("instructions");
  }

  #showInstructions(open: boolean, byWorker: boolean): void {
    if (this.#toggle.hidden) return;
    this.#aside.hidden = !open;
    this.#toggle.setAttribute("aria-expanded", String(open));
    this.#toggle.title = text(open ? "hideInstructions" : "showInstructions");
    if (byWorker) frame().remember({ [SETTING_INSTRUCTIONS]: open });
  }

  #write(): void {
    const heading = this.getAttribute("header") ?? "";
    this.#heading.textContent = heading;
    this.setAttribute("aria-label", heading || this.localName);
    this.#toggle.replaceChildren(h("span", { "aria-hidden": "true" }, "☰"), text("instructions"));
    this.#aside.setAttribute("aria-label", text("instructions"));
    this.#more.textContent = text("fullInstructions");
    this.#dialogClose.setAttribute("aria-label", text("close"));
    this.#assignRegions();
  }
}
