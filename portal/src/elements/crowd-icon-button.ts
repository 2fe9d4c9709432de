import { ButtonElement } from "./button-element";
import { icon } from "./icons";
import { sheet } from "./theme";

const STYLE = sheet(`
.button { min-width: 40px; min-height: 40px; border-radius: 50%; font-size: 17px; }
`);

/** A round button that shows only an icon. */
export class CrowdIconButton extends ButtonElement {
  static readonly observedAttributes = ["aria-label", "disabled", "icon", "title"];
  static override readonly sheets = [STYLE];

  protected override draw(): void {
    const name = this.getAttribute("icon") ?? "help";
    const label = this.getAttribute("aria-label") || this.title || name.replaceAll("-", " ");
    this.show(
      this.control("button quiet square", label, [icon(name)]),
      document.createElement("slot"),
    );
  }
}
