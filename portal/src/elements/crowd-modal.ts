import { h } from "./dom";
import { ModalElement } from "./modal-element";
import { text } from "./texts";

/** A window over the page, opened by a link or button. */
export class CrowdModal extends ModalElement {
  protected override fill(): void {
    this.body.append(h("slot"));
  }

  protected override get defaultLinkText(): string {
    return text("openModal");
  }

  protected override get title_(): string {
    return this.getAttribute("header") || this.getAttribute("link-text") || "";
  }
}
