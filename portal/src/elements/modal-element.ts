import { onLocaleChange } from "../frame/locale";
import { closeButton, closeOnBackdrop, h, openDialog } from "./dom";
import { text } from "./texts";
import { CONTROLS, sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: inline-block; color: var(--gw-text); font: 15px/1.5 var(--gw-font); }
:host([hidden]) { display: none; }
`);

/** What crowd-modal and crowd-instructions share: a link or button that opens a dialog. */
export abstract class ModalElement extends HTMLElement {
  static readonly observedAttributes = ["link-text", "link-type"];
  static readonly sheets: readonly CSSStyleSheet[] = [];
  protected readonly body = h("div", { class: "dialog-body" });
  readonly #trigger = h("button", { type: "button", "aria-haspopup": "dialog", part: "trigger" });
  readonly #title = h("h2", { id: "title" });
  readonly #close = closeButton("");
  readonly #dialog = h(
    "dialog",
    { "aria-labelledby": "title" },
    h("div", { class: "dialog-head" }, this.#title, this.#close),
    this.body,
  );
  #stop: (() => void) | undefined;

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [
        THEME,
        CONTROLS,
        STYLE,
        ...(this.constructor as typeof ModalElement).sheets,
      ];
      root.append(this.#trigger, this.#dialog);
      this.#trigger.addEventListener("click", () => this.open());
      this.#close.addEventListener("click", () => this.close());
      this.#dialog.addEventListener("close", () => this.dispatchEvent(new Event("close")));
      closeOnBackdrop(this.#dialog);
      this.fill();
    }
    this.#stop ??= onLocaleChange(() => this.#write());
    this.#write();
  }

  disconnectedCallback(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  attributeChangedCallback(): void {
    if (this.shadowRoot !== null) this.#write();
  }

  open(): void {
    openDialog(this.#dialog);
    this.dispatchEvent(new Event("open"));
  }

  close(): void {
    this.#dialog.close();
  }

  /** Open, because something inside needs to be seen. */
  reveal(): void {
    this.open();
  }

  /** Fill `body` once. */
  protected abstract fill(): void;
  /** Write the own texts in `body` in the current language. */
  protected write(): void {}
  protected abstract get defaultLinkText(): string;
  protected abstract get title_(): string;

  #write(): void {
    this.#trigger.className = this.getAttribute("link-type") === "button" ? "button" : "link";
    this.#trigger.textContent = this.getAttribute("link-text") || this.defaultLinkText;
    this.#close.setAttribute("aria-label", text("close"));
    this.#title.textContent = this.title_;
    this.write();
  }
}
