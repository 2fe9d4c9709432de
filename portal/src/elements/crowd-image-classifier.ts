import { ImageClassifierElement } from "./image-classifier-element";

/** One category for an image; with `overlay` the verification of an earlier answer. */
export class CrowdImageClassifier extends ImageClassifierElement {
  protected override readonly multiple = false;
}
