import { h } from "./dom";
import { sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: block; margin: 8px 0; color: var(--gw-text); font: 15px/1.5 var(--gw-font); }
:host([hidden]) { display: none; }
.tabs { display: flex; flex-wrap: wrap; gap: 2px; border-bottom: 1px solid var(--gw-line); }
button {
  min-height: 38px; padding: 6px 16px; border: 0; border-bottom: 3px solid transparent; margin-bottom: -1px;
  background: none; color: var(--gw-quiet); font: 500 15px/1.4 var(--gw-font); cursor: pointer;
}
button:hover { color: var(--gw-text); background: var(--gw-surface); }
button[aria-selected="true"] { border-bottom-color: var(--gw-accent); color: var(--gw-text); font-weight: 600; }
button:focus-visible { outline: 2px solid var(--gw-focus); outline-offset: -2px; }
.panels { padding: 12px 0; }
`);

/** One page of crowd-tabs; its `header` is what the tab says. */
export class CrowdTab extends HTMLElement {
  static readonly observedAttributes = ["header"];

  connectedCallback(): void {
    this.setAttribute("role", "tabpanel");
    this.setAttribute("aria-label", this.header);
    const tabs = this.closest<CrowdTabs>("crowd-tabs");
    if (tabs instanceof CrowdTabs) tabs.draw();
  }

  attributeChangedCallback(): void {
    if (!this.isConnected) return;
    this.setAttribute("aria-label", this.header);
    const tabs = this.closest<CrowdTabs>("crowd-tabs");
    if (tabs instanceof CrowdTabs) tabs.draw();
  }

  get header(): string {
    return this.getAttribute("header") ?? "";
  }

  /** Come to the front, because something inside needs to be seen. */
  reveal(): void {
    const tabs = this.closest("crowd-tabs");
    if (tabs instanceof CrowdTabs) tabs.choose(tabs.tabs.indexOf(this));
  }
}

/** Pages of which one is shown, chosen by tabs above them. */
export class CrowdTabs extends HTMLElement {
  #chosen = 0;
  readonly #list = h("div", { class: "tabs", role: "tablist" });

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [THEME, STYLE];
      root.append(this.#list, h("div", { class: "panels" }, h("slot")));
      this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    }
    this.draw();
  }

  get tabs(): CrowdTab[] {
    return [...this.children].filter((child): child is CrowdTab => child instanceof CrowdTab);
  }

  /** Show the page with this index. */
  choose(index: number): void {
    this.#chosen = index;
    this.draw();
  }

  draw(): void {
    const { tabs } = this;
    this.#chosen = Math.min(Math.max(this.#chosen, 0), Math.max(tabs.length - 1, 0));
    const hadFocus = this.shadowRoot?.activeElement !== null && this.shadowRoot !== null;
    const buttons = tabs.map((tab, index) => {
      const selected = index === this.#chosen;
      tab.hidden = !selected;
      const button = h(
        "button",
        {
          type: "button",
          role: "tab",
          "aria-selected": String(selected),
          tabindex: selected ? 0 : -1,
        },
        tab.header || String(index + 1),
      );
      button.addEventListener("click", () => this.choose(index));
      return button;
    });
    this.#list.replaceChildren(...buttons);
    if (hadFocus) buttons[this.#chosen]?.focus();
  }

  #onKey(event: KeyboardEvent): void {
    const last = this.tabs.length - 1;
    const next = {
      ArrowRight: this.#chosen === last ? 0 : this.#chosen + 1,
      ArrowLeft: this.#chosen === 0 ? last : this.#chosen - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.choose(next);
  }
}
