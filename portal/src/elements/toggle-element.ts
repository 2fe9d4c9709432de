import type { Json } from "../frame/protocol";
import { AnswerElement } from "./answer-element";
import { text } from "./texts";
import { sheet, THEME } from "./theme";

const STYLE = sheet(`
:host {
  display: inline-flex; align-items: center; gap: 9px; min-height: 28px; padding: 2px 6px 2px 2px;
  border-radius: 4px; color: var(--gw-text); font: 15px/1.45 var(--gw-font); cursor: pointer;
  vertical-align: middle; -webkit-user-select: none; user-select: none;
}
:host([hidden]) { display: none; }
:host([disabled]) { color: var(--gw-quiet); cursor: default; }
:host(:focus-visible) { outline: 2px solid var(--gw-focus); outline-offset: 1px; }
.mark {
  flex: none; display: grid; place-items: center; width: 20px; height: 20px;
  border: 1.5px solid var(--gw-line-strong); border-radius: 4px; background: var(--gw-page);
}
.mark svg { width: 14px; height: 14px; visibility: hidden; stroke: var(--gw-on-accent); }
:host([checked]) .mark { background: var(--gw-accent); border-color: var(--gw-accent); }
:host([checked]) .mark svg { visibility: visible; }
:host([disabled]) .mark { opacity: 0.6; }
:host([aria-invalid="true"]) .mark { border-color: var(--gw-danger); border-width: 2px; }
.required { color: var(--gw-danger); }
.problem { display: none; color: var(--gw-danger); font-size: 13px; }
:host([aria-invalid="true"]) .problem { display: inline; }
`);

/** What check boxes, radio buttons and switches share: on or off, answered as `{value: boolean}`. */
export abstract class ToggleElement extends AnswerElement {
  static readonly observedAttributes = ["checked", "disabled", "required"];
  static readonly sheets: readonly CSSStyleSheet[] = [];
  protected abstract readonly ariaRole: string;
  protected abstract readonly mark: string;
  #initially = false;
  readonly #problem = document.createElement("span");

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [
        THEME,
        STYLE,
        ...(this.constructor as typeof ToggleElement).sheets,
      ];
      root.innerHTML = `<span class="mark" aria-hidden="true">${this.mark}</span><span><slot></slot></span>`;
      this.#problem.className = "problem";
      root.append(this.#problem);
      this.#initially = this.checked;
      this.addEventListener("click", (event) => this.#onClick(event));
      this.addEventListener("keydown", (event) => this.onKey(event));
    }
    this.setAttribute("role", this.ariaRole);
    this.#reflect();
  }

  attributeChangedCallback(): void {
    this.#reflect();
  }

  get checked(): boolean {
    // Templates write checked="true"; "false" can only be meant as not checked.
    return this.hasAttribute("checked") && this.getAttribute("checked") !== "false";
  }

  set checked(checked: boolean) {
    this.toggleAttribute("checked", checked);
  }

  get disabled(): boolean {
    return this.hasAttribute("disabled");
  }

  set disabled(disabled: boolean) {
    this.toggleAttribute("disabled", disabled);
  }

  get required(): boolean {
    return this.hasAttribute("required");
  }

  /** The property name of the state in the answer. */
  get value(): string {
    return this.getAttribute("value") ?? "on";
  }

  set value(value: string) {
    this.setAttribute("value", value);
  }

  override answer(): Json {
    return { [this.value]: this.checked };
  }

  override validate(): readonly string[] {
    const missing = this.required && !this.disabled && !this.checked;
    this.#setInvalid(missing);
    return missing ? [text("fieldRequired", { field: this.caption })] : [];
  }

  override draft(): Json {
    return this.checked;
  }

  override restore(draft: Json): void {
    if (typeof draft === "boolean") this.checked = draft;
  }

  override reset(): void {
    this.checked = this.#initially;
    this.#setInvalid(false);
  }

  override localeChanged(): void {
    this.#problem.textContent = text("required");
  }

  /** Switch as if the worker did, and tell scripts. */
  protected choose(checked: boolean): void {
    if (this.disabled || checked === this.checked) return;
    this.checked = checked;
    this.#setInvalid(false);
    this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    this.dispatchEvent(new Event("change", { bubbles: true }));
    this.changed();
  }

  /** What a click or the space bar does. */
  protected toggle(): void {
    this.choose(!this.checked);
  }

  /** The words that the worker knows this by. */
  protected get caption(): string {
    const own = this.textContent.replace(/\s+/g, " ").trim();
    return own || this.getAttribute("aria-label") || this.name || text("thisField");
  }

  protected onKey(event: KeyboardEvent): void {
    if (event.target !== this || event.key !== " ") return;
    event.preventDefault();
    this.toggle();
  }

  protected get focusable(): boolean {
    return !this.disabled;
  }

  protected reflectFocus(): void {
    if (this.focusable) this.tabIndex = 0;
    else this.tabIndex = -1;
  }

  #onClick(event: MouseEvent): void {
    // A link in the caption is followed, and what got inside by an unclosed tag keeps its own click.
    const target = event.target as Element;
    if (target !== this && target.closest("a, button, input, select, textarea, label") !== null)
      return;
    if (target.closest(this.localName) === this) this.toggle();
  }

  #setInvalid(invalid: boolean): void {
    this.#problem.textContent = text("required");
    if (invalid) this.setAttribute("aria-invalid", "true");
    else this.removeAttribute("aria-invalid");
  }

  #reflect(): void {
    if (this.shadowRoot === null) return;
    if (this.getAttribute("checked") === "false") this.removeAttribute("checked");
    this.setAttribute("aria-checked", String(this.checked));
    this.setAttribute("aria-disabled", String(this.disabled));
    if (this.required && this.ariaRole !== "radio") this.setAttribute("aria-required", "true");
    if (!this.hasAttribute("aria-label") && this.textContent.trim() === "" && this.name) {
      this.setAttribute("aria-label", this.name);
    }
    this.reflectFocus();
  }
}
