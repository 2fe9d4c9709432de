import { h } from "./dom";
import { sheet, THEME } from "./theme";

const STYLE = sheet(`
:host {
  display: inline-block; width: min(360px, 100%); margin: 6px 0; overflow: hidden; vertical-align: top;
  border: 1px solid var(--gw-line); border-radius: 8px; background: var(--gw-raised); color: var(--gw-text);
  font: 15px/1.5 var(--gw-font);
}
:host([hidden]) { display: none; }
img { display: block; width: 100%; max-height: 240px; object-fit: cover; }
h3 { margin: 14px 16px 0; font-size: 17px; line-height: 1.3; }
.body { display: block; padding: 12px 16px 16px; }
`);

/** A box with a heading and perhaps an image. */
export class CrowdCard extends HTMLElement {
  static readonly observedAttributes = ["heading", "image"];

  connectedCallback(): void {
    this.#draw();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#draw();
  }

  #draw(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [THEME, STYLE];
    const heading = this.getAttribute("heading");
    const image = this.getAttribute("image");
    root.replaceChildren(
      ...(image ? [h("img", { src: image, alt: heading ?? "" })] : []),
      ...(heading ? [h("h3", {}, heading)] : []),
      h("slot", { class: "body" }),
    );
  }
}
