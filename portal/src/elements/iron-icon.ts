import { ICON_CSS, icon } from "./icons";
import { sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: inline-grid; place-items: center; min-width: 24px; height: 24px; color: inherit; vertical-align: middle; }
${ICON_CSS}
`);

/** The icon element that the documentation's examples put into buttons. */
export class IronIcon extends HTMLElement {
  static readonly observedAttributes = ["icon", "src"];

  connectedCallback(): void {
    this.#draw();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#draw();
  }

  #draw(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [THEME, STYLE];
    const name = this.getAttribute("src") || this.getAttribute("icon");
    // In an unclosed <iron-icon/> the rest of the button's content gets inside.
    root.replaceChildren(...(name ? [icon(name)] : []), document.createElement("slot"));
  }
}
