import { h } from "./dom";
import { TextFieldElement } from "./text-field-element";
import { sheet } from "./theme";

const STYLE = sheet(`
textarea { display: block; resize: vertical; field-sizing: content; }
`);

/** A field of several lines that grows with its text, up to `max-rows`. */
export class CrowdTextArea extends TextFieldElement {
  static override readonly sheets = [STYLE];
  protected override readonly control = h("textarea");

  override connectedCallback(): void {
    super.connectedCallback();
    const rows = Number(this.getAttribute("rows")) || 2;
    const most = Number(this.getAttribute("max-rows")) || Number.POSITIVE_INFINITY;
    // A line is 1.4 em high; 14 px are the field's padding and border.
    this.control.style.minHeight = `calc(${rows * 1.4}em + 14px)`;
    if (Number.isFinite(most)) this.control.style.maxHeight = `calc(${most * 1.4}em + 14px)`;
  }
}
