import { onLocaleChange } from "../frame/locale";
import { closeButton, h } from "./dom";
import { ICON_CSS, icon } from "./icons";
import { type TextKey, text } from "./texts";
import { CONTROLS, sheet, THEME } from "./theme";

const STYLE = sheet(`
:host { display: block; margin: 8px 0; color: var(--gw-text); font: 15px/1.5 var(--gw-font); }
:host([hidden]) { display: none; }
.box { display: flex; align-items: flex-start; gap: 10px; padding: 10px 14px; border-radius: var(--gw-radius); border-left: 4px solid var(--tone); background: var(--soft); }
.box.info { --tone: var(--gw-accent); --soft: var(--gw-accent-soft); }
.box.success { --tone: var(--gw-good); --soft: var(--gw-good-soft); }
.box.warning { --tone: var(--gw-warn); --soft: var(--gw-warn-soft); }
.box.error { --tone: var(--gw-danger); --soft: var(--gw-danger-soft); }
.icon { margin-top: 2px; color: var(--tone); }
.words { flex: 1; min-width: 0; }
.button { min-height: 26px; min-width: 26px; padding: 0; color: inherit; }
${ICON_CSS}
`);

const TYPES: Readonly<Record<string, { icon: string; name: TextKey; role: string }>> = {
  info: { icon: "info", name: "information", role: "status" },
  success: { icon: "check-circle", name: "success", role: "status" },
  warning: { icon: "warning", name: "warning", role: "alert" },
  error: { icon: "cancel", name: "error", role: "alert" },
};

/** A message about the current state, read out when it appears. */
export class CrowdAlert extends HTMLElement {
  static readonly observedAttributes = ["type", "dismissible"];
  #stop: (() => void) | undefined;

  connectedCallback(): void {
    this.#stop ??= onLocaleChange(() => this.#draw());
    this.#draw();
  }

  disconnectedCallback(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  attributeChangedCallback(): void {
    if (this.shadowRoot !== null) this.#draw();
  }

  #draw(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [THEME, CONTROLS, STYLE];
    const named = this.getAttribute("type") ?? "info";
    const type = Object.hasOwn(TYPES, named) ? named : "info";
    const { icon: name, name: key, role } = TYPES[type] as (typeof TYPES)[string];
    const box = h(
      "div",
      { class: `box ${type}`, role },
      icon(name),
      h(
        "div",
        { class: "words" },
        h("span", { class: "visually-hidden" }, `${text(key)}: `),
        h("slot"),
      ),
    );
    if (this.hasAttribute("dismissible") && this.getAttribute("dismissible") !== "false") {
      const close = closeButton(text("dismiss"));
      close.addEventListener("click", () => {
        this.hidden = true;
      });
      box.append(close);
    }
    root.replaceChildren(box);
  }
}
