import { CrowdRadioButton } from "./crowd-radio-button";
import { sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: flex; flex-wrap: wrap; gap: 4px 18px; }
:host([hidden]) { display: none; }
`);

const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

/** Makes its radio buttons exclude each other, with one stop for the Tab key and arrows between. */
export class CrowdRadioGroup extends HTMLElement {
  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [THEME, STYLE];
      root.append(document.createElement("slot"));
      this.addEventListener("keydown", (event) => this.#onKey(event));
    }
    this.setAttribute("role", "radiogroup");
    this.refocus();
  }

  /** The buttons of this group, not of one inside it. */
  get buttons(): CrowdRadioButton[] {
    return [...this.querySelectorAll("*")].filter(
      (element): element is CrowdRadioButton =>
        element instanceof CrowdRadioButton && element.closest("crowd-radio-group") === this,
    );
  }

  /** Let the Tab key stop at the chosen button, or else at the first that can be chosen. */
  refocus(): void {
    const usable = this.buttons.filter((button) => !button.disabled);
    const stop = usable.find((button) => button.checked) ?? usable[0];
    for (const button of this.buttons) button.tabIndex = button === stop ? 0 : -1;
  }

  clearOthers(chosen: CrowdRadioButton): void {
    for (const button of this.buttons) if (button !== chosen) button.checked = false;
  }

  #onKey(event: KeyboardEvent): void {
    const step = STEPS[event.key];
    if (step === undefined || !(event.target instanceof CrowdRadioButton)) return;
    const usable = this.buttons.filter((button) => !button.disabled);
    const at = usable.indexOf(event.target);
    if (at < 0) return;
    event.preventDefault();
    usable[(at + step + usable.length) % usable.length]?.select();
  }
}
