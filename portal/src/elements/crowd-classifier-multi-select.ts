import { TargetClassifierElement } from "./target-classifier-element";

/** Any number of categories for a text or any other content. */
export class CrowdClassifierMultiSelect extends TargetClassifierElement {
  protected override readonly multiple = true;
}
