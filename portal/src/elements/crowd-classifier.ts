import { TargetClassifierElement } from "./target-classifier-element";

/** One category for a text or any other content. */
export class CrowdClassifier extends TargetClassifierElement {
  protected override readonly multiple = false;
}
