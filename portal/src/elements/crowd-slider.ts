import type { Json } from "../frame/protocol";
import { AnswerElement } from "./answer-element";
import { h } from "./dom";
import { text } from "./texts";
import { CONTROLS, sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: inline-block; width: 320px; max-width: 100%; margin: 4px 0; color: var(--gw-text); font: 15px/1.4 var(--gw-font); vertical-align: middle; }
:host([hidden]) { display: none; }
.row { display: flex; align-items: center; gap: 12px; }
.range { position: relative; flex: 1; padding-top: 0; }
:host([pin]) .range { padding-top: 26px; }
input[type="range"] { display: block; width: 100%; height: 28px; margin: 0; accent-color: var(--gw-accent); }
.second { position: absolute; left: 0; bottom: 4px; height: 3px; border-radius: 2px; background: var(--crowd-slider-secondary-color, var(--gw-line-strong)); pointer-events: none; }
output {
  position: absolute; top: 0; min-width: 28px; padding: 1px 6px; border-radius: 4px; transform: translateX(-50%);
  background: var(--gw-accent); color: var(--gw-on-accent); font-size: 13px; text-align: center; pointer-events: none;
}
input[type="number"] { width: 84px; }
.problem { min-height: 20px; color: var(--gw-danger); font-size: 13px; }
:host(:not([required])) .problem { display: none; }
.problem:not(:empty)::before { content: "⚠ "; }
.untouched { opacity: 0.75; }
`);

const THUMB_PIXELS = 16;

/** A value picked on a line between `min` and `max`; answers with a number. */
export class CrowdSlider extends AnswerElement {
  static readonly observedAttributes = [
    "min",
    "max",
    "step",
    "value",
    "disabled",
    "secondary-progress",
  ];
  readonly #range = h("input", { type: "range", id: "range" });
  readonly #number = h("input", { type: "number", class: "field" });
  readonly #pin = h("output", { for: "range", "aria-hidden": "true" });
  readonly #second = h("div", { class: "second", hidden: true });
  readonly #problem = h("div", { class: "problem", "aria-live": "polite" });
  #value: number | undefined;

  connectedCallback(): void {
    if (this.shadowRoot === null) this.#build();
    this.#write();
  }

  attributeChangedCallback(): void {
    if (this.shadowRoot !== null) this.#write();
  }

  /** The number picked or preset, or else where the knob stands. */
  get value(): number {
    return this.#value ?? this.#preset() ?? this.#minimum();
  }

  set value(value: number) {
    this.#value = Number(value);
    if (this.shadowRoot !== null) this.#write();
    this.changed();
  }

  get disabled(): boolean {
    return this.hasAttribute("disabled");
  }

  /** The knob always stands somewhere, so there is always a number, as in the original. */
  override answer(): Json {
    return this.value;
  }

  override validate(): readonly string[] {
    const missing =
      this.hasAttribute("required") &&
      !this.disabled &&
      this.#value === undefined &&
      this.#preset() === undefined;
    const problem = missing ? text("fieldRequired", { field: this.#caption() }) : "";
    this.#problem.textContent = problem;
    return missing ? [problem] : [];
  }

  override draft(): Json {
    return this.#value ?? null;
  }

  override restore(draft: Json): void {
    if (typeof draft === "number") this.value = draft;
  }

  override reset(): void {
    this.#value = undefined;
    this.#problem.textContent = "";
    this.#write();
  }

  override localeChanged(): void {
    this.#write();
  }

  #build(): void {
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    root.adoptedStyleSheets = [THEME, CONTROLS, STYLE];
    root.append(
      h(
        "div",
        { class: "row" },
        h("div", { class: "range" }, this.#pin, this.#range, this.#second),
        this.#number,
      ),
      this.#problem,
      h("slot"),
    );
    for (const input of [this.#range, this.#number]) {
      input.addEventListener("input", () => {
        if (input.value === "") return;
        this.#pick(input.valueAsNumber);
      });
      input.addEventListener("change", () => {
        this.#write();
        this.dispatchEvent(new Event("change", { bubbles: true }));
      });
    }
    // A worker who means the place where the knob stands already clicks it, or presses Space.
    this.#range.addEventListener("pointerup", () => this.#pick(this.#range.valueAsNumber));
    this.#range.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      this.#pick(this.#range.valueAsNumber);
    });
  }

  #pick(value: number): void {
    this.#value = Math.min(Math.max(value, this.#minimum()), this.#maximum());
    this.#problem.textContent = "";
    this.#write(document.activeElement === this && this.shadowRoot?.activeElement === this.#number);
    this.changed();
  }

  #write(typing = false): void {
    const name = this.#caption();
    for (const input of [this.#range, this.#number]) {
      input.min = String(this.#minimum());
      input.max = String(this.#maximum());
      input.step = this.getAttribute("step") || "1";
      input.disabled = this.disabled;
      input.setAttribute("aria-label", name);
    }
    this.#range.value = String(this.value);
    if (!typing) this.#number.value = String(this.value);
    this.#number.hidden = !this.hasAttribute("editable");
    this.#range.classList.toggle(
      "untouched",
      this.#value === undefined && this.#preset() === undefined,
    );
    this.#pin.hidden = !this.hasAttribute("pin");
    this.#pin.textContent = String(this.value);
    this.#pin.style.left = this.#position(this.value);
    const second = this.getAttribute("secondary-progress");
    this.#second.hidden = second === null;
    if (second !== null) this.#second.style.width = this.#position(Number(second));
  }

  #position(value: number): string {
    const share = (value - this.#minimum()) / (this.#maximum() - this.#minimum() || 1);
    const within = Math.min(Math.max(share, 0), 1);
    return `calc(${THUMB_PIXELS / 2}px + ${within} * (100% - ${THUMB_PIXELS}px))`;
  }

  #minimum(): number {
    return Number(this.getAttribute("min") ?? 0);
  }

  #maximum(): number {
    return Number(this.getAttribute("max") ?? 100);
  }

  #preset(): number | undefined {
    const value = this.getAttribute("value");
    return value === null || value === "" ? undefined : Number(value);
  }

  #caption(): string {
    return (
      this.getAttribute("aria-label") || this.getAttribute("label") || this.name || text("value")
    );
  }
}
