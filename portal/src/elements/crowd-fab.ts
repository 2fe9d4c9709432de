import { ButtonElement } from "./button-element";
import { h } from "./dom";
import { icon } from "./icons";
import { sheet } from "./theme";

const STYLE = sheet(`
.button { width: 52px; height: 52px; padding: 0; border-radius: 50%; font-size: 20px; box-shadow: var(--gw-shadow); }
`);

/** A floating round button with an icon or one character. */
export class CrowdFab extends ButtonElement {
  static readonly observedAttributes = ["aria-label", "disabled", "icon", "label", "title"];
  static override readonly sheets = [STYLE];

  protected override draw(): void {
    const name = this.getAttribute("icon");
    const label = this.getAttribute("label") ?? "";
    // One character fits; the original shows an ellipsis for more.
    const shown = [...label].length > 1 ? "…" : label;
    const spoken =
      this.getAttribute("aria-label") || this.title || label || name?.replaceAll("-", " ");
    const content = name ? icon(name) : h("span", { "aria-hidden": "true" }, shown);
    const button = this.control("button primary", spoken || "…", [content]);
    this.show(button, h("slot"));
  }
}
