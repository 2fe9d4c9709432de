import { h } from "./dom";
import { ICON_CSS, icon } from "./icons";
import { sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { position: absolute; z-index: 1; pointer-events: none; }
:host([hidden]) { display: none; }
:host(:not([for])) { position: static; display: inline-block; vertical-align: middle; }
.badge {
  display: grid; place-items: center; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 11px;
  background: var(--gw-accent); color: var(--gw-on-accent); font: 600 12px/1 var(--gw-font);
}
:host([for]) .badge { transform: translate(-50%, -50%); }
${ICON_CSS}
`);

/** A small mark at the upper right corner of the element with the id `for`. */
export class CrowdBadge extends HTMLElement {
  static readonly observedAttributes = ["for", "icon", "label"];
  readonly #watcher = new ResizeObserver(() => this.#place());

  connectedCallback(): void {
    this.#draw();
    this.#watcher.observe(document.documentElement);
    const target = this.#target();
    if (target) this.#watcher.observe(target);
    this.#place();
  }

  disconnectedCallback(): void {
    this.#watcher.disconnect();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#draw();
  }

  #draw(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [THEME, STYLE];
    const name = this.getAttribute("icon");
    const label = this.getAttribute("label") ?? "";
    const content = name ? icon(name) : label;
    root.replaceChildren(h("span", { class: "badge" }, content as Node | string), h("slot"));
  }

  #target(): HTMLElement | null {
    const id = this.getAttribute("for");
    return id ? document.getElementById(id) : null;
  }

  #place(): void {
    const target = this.#target();
    const parent = this.offsetParent;
    if (target === null || parent === null) return;
    const box = target.getBoundingClientRect();
    const origin = parent.getBoundingClientRect();
    const top = box.top - origin.top + parent.scrollTop - parent.clientTop;
    const left = box.right - origin.left + parent.scrollLeft - parent.clientLeft;
    this.style.top = `${top}px`;
    this.style.left = `${left}px`;
  }
}
