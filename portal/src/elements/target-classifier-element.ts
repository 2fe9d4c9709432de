import { ClassifierElement } from "./classifier-element";
import { h } from "./dom";
import { sheet } from "./theme";

const STYLE = sheet(`
.stage { background: var(--gw-page); overflow: auto; }
.target { max-width: 76ch; margin: 0 auto; padding: 28px 32px; font-size: 18px; line-height: 1.65; overflow-wrap: anywhere; }
::slotted(classification-target) { display: block; white-space: pre-line; }
`);

/** A classifier whose object is whatever the template puts into classification-target. */
export abstract class TargetClassifierElement extends ClassifierElement {
  static override readonly sheets = [...ClassifierElement.sheets, STYLE];

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.categories.length === 0) return;
    // Long texts must be reachable by keyboard to be scrolled.
    this.parts.stage.tabIndex = 0;
    this.parts.stage.setAttribute("role", "region");
    this.parts.stage.setAttribute("aria-label", this.getAttribute("header") ?? this.localName);
    this.parts.stage.replaceChildren(
      h("div", { class: "target" }, h("slot", { name: "classification-target" })),
    );
    this.announceLoaded();
  }
}
