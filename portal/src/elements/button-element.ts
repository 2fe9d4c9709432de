import { h } from "./dom";
import { ICON_CSS } from "./icons";
import { CONTROLS, sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: inline-block; vertical-align: middle; }
:host([hidden]) { display: none; }
.spinner {
  width: 1em; height: 1em; border: 2px solid currentColor; border-right-color: transparent; border-radius: 50%;
}
@media (prefers-reduced-motion: no-preference) { .spinner { animation: turn 800ms linear infinite; } }
@keyframes turn { to { rotate: 1turn; } }
${ICON_CSS}
`);

/** What all kinds of buttons share: a native button or link inside, drawn anew when attributes change. */
export abstract class ButtonElement extends HTMLElement {
  static readonly sheets: readonly CSSStyleSheet[] = [];

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const root = this.attachShadow({ mode: "open", delegatesFocus: true });
      root.adoptedStyleSheets = [
        THEME,
        CONTROLS,
        STYLE,
        ...(this.constructor as typeof ButtonElement).sheets,
      ];
      this.addEventListener("click", (event) => this.#onClick(event), { capture: true });
    }
    this.draw();
  }

  attributeChangedCallback(): void {
    if (this.shadowRoot !== null) this.draw();
  }

  get disabled(): boolean {
    return this.hasAttribute("disabled");
  }

  set disabled(disabled: boolean) {
    this.toggleAttribute("disabled", disabled);
  }

  /** Whether a click must do nothing now. */
  protected get inert_(): boolean {
    return this.disabled;
  }

  /** Fill the shadow root from the attributes. */
  protected abstract draw(): void;

  /** What a click does beside what the author's scripts do. */
  protected activate(): void {}

  /** Put `content` into a native button, or a link when there is an address. */
  protected control(className: string, label: string | undefined, content: Node[]): HTMLElement {
    const href = this.getAttribute("href");
    const shared = { class: className, part: "button", "aria-label": label };
    if (href !== null && !this.inert_) {
      const target = this.getAttribute("target") ?? "_blank";
      const link = h("a", {
        ...shared,
        href: safeAddress(href),
        target,
        rel: "noopener noreferrer",
      });
      link.append(...content);
      return link;
    }
    const button = h("button", { ...shared, type: "button", disabled: this.inert_ });
    button.append(...content);
    return button;
  }

  /** Replace what is shown, keeping the focus. */
  protected show(...nodes: Node[]): void {
    const focused = this.shadowRoot?.activeElement !== null && document.activeElement === this;
    this.shadowRoot?.replaceChildren(...nodes);
    if (focused) this.focus();
  }

  #onClick(event: MouseEvent): void {
    const target = event.target as Element;
    if (target !== this && target.closest(this.localName) !== this) return;
    if (this.inert_) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    // After the author's own listeners, which may prevent it.
    queueMicrotask(() => {
      if (!event.defaultPrevented) this.activate();
    });
  }
}

/** Keep addresses that run scripts out of links. */
function safeAddress(href: string): string {
  return /^\s*(?:javascript|data|vbscript):/i.test(href) ? "about:blank" : href;
}
