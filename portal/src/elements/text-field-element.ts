import type { Json } from "../frame/protocol";
import { AnswerElement } from "./answer-element";
import { h } from "./dom";
import { text } from "./texts";
import { CONTROLS, sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: block; max-width: 720px; margin: 8px 0; color: var(--gw-text); font: 15px/1.45 var(--gw-font); }
:host([hidden]), :host([type="hidden"]) { display: none; }
label { display: block; margin-bottom: 4px; font-size: 14px; font-weight: 500; }
label:empty { display: none; }
.needed { color: var(--gw-danger); }
.below { display: flex; justify-content: space-between; gap: 16px; min-height: 20px; font-size: 13px; }
.problem { color: var(--gw-danger); }
.problem:not(:empty)::before { content: "⚠ "; }
.count { margin-left: auto; color: var(--gw-quiet); }
`);

type Control = HTMLInputElement | HTMLTextAreaElement;

/** Attributes that both text fields hand to the field inside. */
const PASSED: Readonly<Record<string, string>> = {
  placeholder: "placeholder",
  disabled: "disabled",
  "max-length": "maxlength",
  rows: "rows",
};

/** What crowd-input and crowd-text-area share: a labelled native field, checks, a message below. */
export abstract class TextFieldElement extends AnswerElement {
  static readonly formAssociated = true;
  static readonly observedAttributes = [
    "allowed-pattern",
    "aria-label",
    "char-counter",
    "disabled",
    "label",
    "max-length",
    "min-length",
    "placeholder",
    "required",
    "rows",
    "type",
    "value",
  ];
  static readonly sheets: readonly CSSStyleSheet[] = [];

  protected abstract readonly control: Control;
  readonly #internals = this.attachInternals();
  readonly #label = h("label", { for: "control" });
  readonly #problem = h("span", { class: "problem", id: "problem", "aria-live": "polite" });
  readonly #count = h("span", { class: "count", hidden: true });
  #touched = false;
  #value: string | undefined;

  connectedCallback(): void {
    if (this.shadowRoot === null) this.#build();
    this.#write();
    // Own property set by a script before the element was defined.
    if (Object.hasOwn(this, "value")) {
      const early: unknown = Reflect.get(this, "value");
      Reflect.deleteProperty(this, "value");
      this.value = String(early ?? "");
    }
    if (this.hasAttribute("auto-focus") && this.getAttribute("auto-focus") !== "false") {
      this.control.focus({ preventScroll: true });
    }
  }

  attributeChangedCallback(name: string): void {
    if (this.shadowRoot === null) return;
    if (name === "value" && this.#value === undefined) this.#set(this.getAttribute("value") ?? "");
    this.#write();
  }

  get value(): string {
    return this.#value ?? this.getAttribute("value") ?? "";
  }

  set value(value: string) {
    this.#value = value;
    if (this.shadowRoot !== null) this.#set(value);
    this.changed();
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

  override answer(): Json | undefined {
    const value = this.value.replace(/\r\n?/g, "\n");
    return value === "" ? undefined : value;
  }

  override validate(): readonly string[] {
    this.#touched = true;
    const problem = this.#findProblem();
    this.#show(problem);
    return problem === undefined ? [] : [problem];
  }

  override draft(): Json {
    return this.value;
  }

  override restore(draft: Json): void {
    if (typeof draft === "string") this.value = draft;
  }

  override reset(): void {
    this.#value = undefined;
    this.#touched = false;
    this.#set(this.getAttribute("value") ?? "");
    this.#show(undefined);
  }

  override localeChanged(): void {
    this.#write();
    if (this.#touched) this.#show(this.#findProblem());
  }

  override focus(options?: FocusOptions): void {
    this.control.focus(options);
  }

  #build(): void {
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    root.adoptedStyleSheets = [
      THEME,
      CONTROLS,
      STYLE,
      ...(this.constructor as typeof TextFieldElement).sheets,
    ];
    this.control.id = "control";
    this.control.className = "field";
    this.control.setAttribute("aria-describedby", "problem");
    root.append(
      this.#label,
      this.control,
      h("div", { class: "below" }, this.#problem, this.#count),
      // Without an end tag (documented as a mistake, but common) the rest of the page gets inside.
      h("slot"),
    );
    this.control.addEventListener("input", () => this.#onInput());
    this.control.addEventListener("change", () => {
      this.#touched = true;
      this.#show(this.#findProblem());
      this.dispatchEvent(new Event("change", { bubbles: true }));
    });
    this.#set(this.value);
  }

  #onInput(): void {
    const pattern = this.#pattern();
    if (pattern !== undefined && this.#autoValidates()) {
      const kept = [...this.control.value].filter((character) => pattern.test(character)).join("");
      if (kept !== this.control.value) {
        this.control.value = kept;
        this.#show(
          this.getAttribute("error-message") || text("fieldPattern", { field: this.#name() }),
        );
      }
    }
    this.#value = this.control.value;
    if (this.#touched) this.#show(this.#findProblem());
    this.#countCharacters();
    this.changed();
  }

  #set(value: string): void {
    if (this.control instanceof HTMLInputElement && this.control.type === "file") return;
    if (this.control.value !== value) this.control.value = value;
    this.#countCharacters();
  }

  #findProblem(): string | undefined {
    if (this.disabled) return undefined;
    const own = this.getAttribute("error-message");
    const field = this.#name();
    const { value } = this;
    const length = [...value].length;
    const minimum = Number(this.getAttribute("min-length") ?? 0);
    const maximum = Number(this.getAttribute("max-length") ?? Number.POSITIVE_INFINITY);
    if (value === "" && !this.control.validity.badInput) {
      return this.required ? own || text("fieldRequired", { field }) : undefined;
    }
    if (length < minimum) return own || text("fieldShort", { field, minimum, length });
    // The native field stops typing at the limit, but not a preset.
    if (value.length > maximum) return own || text("fieldLong", { field, maximum, length });
    const pattern = this.#pattern();
    if (
      pattern !== undefined &&
      this.#autoValidates() &&
      ![...value].every((c) => pattern.test(c))
    ) {
      return own || text("fieldPattern", { field });
    }
    if (!this.control.validity.valid) return own || text("fieldInvalid", { field });
    return undefined;
  }

  /** The characters that may be typed; a pattern that is no regular expression accepts all. */
  #pattern(): RegExp | undefined {
    const pattern = this.getAttribute("allowed-pattern");
    if (pattern === null || pattern === "") return undefined;
    try {
      return new RegExp(`^(?:${pattern})$`, "u");
    } catch {
      return undefined;
    }
  }

  #autoValidates(): boolean {
    return this.hasAttribute("auto-validate") && this.getAttribute("auto-validate") !== "false";
  }

  #show(problem: string | undefined): void {
    this.#problem.textContent = problem ?? "";
    if (problem === undefined) this.control.removeAttribute("aria-invalid");
    else this.control.setAttribute("aria-invalid", "true");
  }

  #countCharacters(): void {
    const counts = this.hasAttribute("char-counter");
    this.#count.hidden = !counts;
    if (!counts) return;
    const length = this.control.value.length;
    const maximum = this.getAttribute("max-length");
    this.#count.textContent =
      maximum === null ? text("characters", { length }) : text("charactersOf", { length, maximum });
  }

  #name(): string {
    return this.getAttribute("label") || this.#outerLabel() || this.name || text("thisField");
  }

  #outerLabel(): string {
    const labels = [...this.#internals.labels].map((label) => label.textContent ?? "").join(" ");
    return labels.replace(/\s+/g, " ").trim() || this.getAttribute("aria-label") || "";
  }

  #write(): void {
    const { control } = this;
    for (const [ours, native] of Object.entries(PASSED)) {
      const value = this.getAttribute(ours);
      if (value === null) control.removeAttribute(native);
      else control.setAttribute(native, value);
    }
    if (control instanceof HTMLInputElement) control.type = this.getAttribute("type") ?? "text";
    const label = this.getAttribute("label") ?? "";
    this.#label.replaceChildren(
      label,
      ...(this.required && label !== ""
        ? [h("span", { class: "needed", "aria-hidden": "true" }, " *")]
        : []),
    );
    if (label !== "") control.removeAttribute("aria-label");
    else {
      const spoken = this.#outerLabel() || this.getAttribute("placeholder") || this.name;
      control.setAttribute("aria-label", spoken || text("thisField"));
    }
    control.setAttribute("aria-required", String(this.required));
    this.#countCharacters();
  }
}
