import { sheet } from "./theme";
import { ToggleElement } from "./toggle-element";

const STYLE = sheet(`
.mark { border-radius: 50%; }
:host([checked]) .mark { background: var(--gw-page); }
.mark i { width: 10px; height: 10px; border-radius: 50%; background: var(--gw-accent); visibility: hidden; }
:host([checked]) .mark i { visibility: visible; }
`);

/** One choice of a group; outside of a group it can be chosen, and stays so. */
export class CrowdRadioButton extends ToggleElement {
  static override readonly sheets = [STYLE];
  protected override readonly ariaRole = "radio";
  protected override readonly mark = "<i></i>";

  override connectedCallback(): void {
    super.connectedCallback();
    this.#group()?.refocus();
  }

  override attributeChangedCallback(name?: string): void {
    super.attributeChangedCallback();
    const group = this.#group();
    if (name === "checked" && this.checked) group?.clearOthers(this);
    group?.refocus();
  }

  /** Choose as if the worker did. */
  select(): void {
    this.choose(true);
    this.focus();
  }

  protected override toggle(): void {
    this.choose(true);
  }

  protected override reflectFocus(): void {
    if (this.#group() === null) super.reflectFocus();
  }

  #group(): CrowdRadioGroupLike | null {
    return this.closest<CrowdRadioGroupLike>("crowd-radio-group");
  }
}

/** What a button needs of its group (which imports this module). */
interface CrowdRadioGroupLike extends HTMLElement {
  refocus(): void;
  clearOthers(chosen: CrowdRadioButton): void;
}
