import { h } from "./dom";
import { sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { position: fixed; left: 20px; bottom: 72px; z-index: 10; max-width: min(420px, calc(100vw - 40px)); }
:host([hidden]) { display: none; }
.toast { padding: 12px 18px; border-radius: var(--gw-radius); background: #1f2630; color: #ffffff; box-shadow: var(--gw-shadow); font: 15px/1.45 var(--gw-font); }
`);

const DEFAULT_MILLISECONDS = 10_000;

/** A notice that goes away by itself, after `duration` milliseconds; stays while pointed at. */
export class CrowdToast extends HTMLElement {
  static readonly observedAttributes = ["text"];
  #timer: ReturnType<typeof setTimeout> | undefined;

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [THEME, STYLE];
      this.addEventListener("pointerenter", () => clearTimeout(this.#timer));
      this.addEventListener("pointerleave", () => this.#expire());
    }
    this.setAttribute("role", "status");
    this.#draw();
    this.show();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  attributeChangedCallback(): void {
    if (this.shadowRoot !== null) this.#draw();
  }

  /** Show the notice (again); another one that is shown goes away, as only one is visible at a time. */
  show(): void {
    for (const other of document.querySelectorAll<CrowdToast>("crowd-toast")) {
      if (other !== this) other.hidden = true;
    }
    this.hidden = false;
    this.#expire();
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.hidden = true;
  }

  #expire(): void {
    clearTimeout(this.#timer);
    const given = Number(this.getAttribute("duration") ?? DEFAULT_MILLISECONDS);
    // Zero or less means that it stays, as timers of no length would hide it before it is seen.
    if (given > 0) this.#timer = setTimeout(() => this.hide(), given);
  }

  #draw(): void {
    this.shadowRoot?.replaceChildren(
      h("div", { class: "toast" }, this.getAttribute("text") ?? "", h("slot")),
    );
  }
}
