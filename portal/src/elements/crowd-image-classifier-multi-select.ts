import { ImageClassifierElement } from "./image-classifier-element";

/** Any number of categories for an image. */
export class CrowdImageClassifierMultiSelect extends ImageClassifierElement {
  protected override readonly multiple = true;
}
