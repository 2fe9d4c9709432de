import type { Json, Shortcut } from "../frame/protocol";

/** Tells the form around an element that its answer or draft is another one now. */
export class AnswerChangeEvent extends Event {
  static readonly type = "groundwork-answer-change";

  constructor() {
    super(AnswerChangeEvent.type, { bubbles: true, composed: true });
  }
}

/**
 * An element whose content becomes part of the form's answer.
 *
 * Elements are defined only once the document is parsed (see define.ts), so that in
 * `connectedCallback` the author's regions are there already.
 */
export abstract class AnswerElement extends HTMLElement {
  /** The key of this element's answer; an element without one gives none, like an HTML input. */
  get name(): string {
    return this.getAttribute("name") ?? "";
  }

  set name(name: string) {
    this.setAttribute("name", name);
  }

  /** Return the documented answer, or undefined to be left out of the form's answer. */
  abstract answer(): Json | undefined;

  /** Return a sentence for each reason why the form must not be submitted yet, and show them in place. */
  validate(): readonly string[] {
    return [];
  }

  /** Return the unfinished work as something `restore` understands. */
  draft(): Json | undefined {
    return this.answer();
  }

  /** Bring back what `draft` gave, perhaps under an older version of this code: ignore what does not fit. */
  abstract restore(draft: Json): void;

  /** Go back to what the template said. */
  abstract reset(): void;

  /** Return the keys of this element, in the current locale, for the page's shortcut list. */
  shortcuts(): readonly Shortcut[] {
    return [];
  }

  /** Called after the locale changed: write the element's own texts anew. */
  localeChanged(): void {}

  /** The answer under the name that templates' scripts use beside `value`. */
  get _submittableValue(): Json | undefined {
    return this.answer();
  }

  /** Say that the answer or the draft changed. */
  protected changed(): void {
    this.dispatchEvent(new AnswerChangeEvent());
  }
}

/** Whether an element takes part in answers; duck-typed, because a template may bring its own. */
export function isAnswerElement(element: Element): element is AnswerElement {
  return element instanceof AnswerElement;
}
