import { ToggleElement } from "./toggle-element";

/** A box to tick. */
export class CrowdCheckbox extends ToggleElement {
  protected override readonly ariaRole = "checkbox";
  protected override readonly mark =
    '<svg viewBox="0 0 14 14" fill="none" stroke-width="2.4"><path d="M2.5 7.5l3 3 6-7"/></svg>';
}
