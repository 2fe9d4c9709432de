import type { Json } from "../frame/protocol";
import { AnswerElement } from "./answer-element";
import { h } from "./dom";
import { ICON_CSS, icon } from "./icons";
import { text } from "./texts";
import { sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: block; padding: 24px; color: var(--gw-text); font: 15px/1.55 var(--gw-font); }
.notice { display: flex; gap: 14px; max-width: 640px; padding: 16px 20px; border-left: 4px solid var(--gw-warn); border-radius: var(--gw-radius); background: var(--gw-warn-soft); }
.icon { width: 26px; height: 26px; color: var(--gw-warn); }
h2 { margin: 0 0 6px; font-size: 17px; line-height: 1.35; }
p { margin: 0; }
.content { margin-top: 16px; }
${ICON_CSS}
`);

/**
 * Stands in for elements that there is no tool for, so that nobody sees an empty page.
 *
 * It keeps the form from being submitted: an answer without its main part would count as one.
 */
export class UnsupportedElement extends AnswerElement {
  connectedCallback(): void {
    this.#draw();
  }

  override answer(): Json | undefined {
    return undefined;
  }

  override validate(): readonly string[] {
    return [text("unsupportedTitle")];
  }

  override restore(): void {}

  override reset(): void {}

  override localeChanged(): void {
    this.#draw();
  }

  #draw(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [THEME, STYLE];
    root.replaceChildren(
      h(
        "div",
        { class: "notice", role: "alert" },
        icon("warning"),
        h(
          "div",
          {},
          h("h2", {}, text("unsupportedTitle")),
          h("p", {}, text("unsupportedText", { element: this.localName })),
        ),
      ),
      h("div", { class: "content" }, h("slot")),
    );
  }
}
