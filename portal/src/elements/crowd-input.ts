import type { Json } from "../frame/protocol";
import { h } from "./dom";
import { TextFieldElement } from "./text-field-element";

/** A field of one line; left out of the answer while empty. A file field answers with the file's name. */
export class CrowdInput extends TextFieldElement {
  protected override readonly control = h("input");

  override answer(): Json | undefined {
    return this.control.type === "file" ? this.control.files?.[0]?.name : super.answer();
  }
}
