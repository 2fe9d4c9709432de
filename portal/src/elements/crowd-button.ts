import { ButtonElement } from "./button-element";
import { h } from "./dom";
import { icon } from "./icons";
import { text } from "./texts";

const VARIANTS: Readonly<Record<string, string>> = {
  primary: "button primary",
  normal: "button",
  link: "button quiet",
  icon: "button quiet square",
};

/** What the form around a button can do. */
interface FormLike extends HTMLElement {
  requestSubmit(submitter: HTMLElement): void;
  reset(): void;
}

/** A button; with `form-action` it submits or resets its form, with `href` it is a link. */
export class CrowdButton extends ButtonElement {
  static readonly observedAttributes = [
    "aria-label",
    "disabled",
    "form-action",
    "href",
    "icon",
    "icon-align",
    "icon-url",
    "loading",
    "target",
    "variant",
  ];

  protected override get inert_(): boolean {
    return this.disabled || this.hasAttribute("loading");
  }

  protected override activate(): void {
    const form = this.closest<FormLike>("crowd-form");
    const action = this.getAttribute("form-action");
    if (action === "submit") form?.requestSubmit(this);
    else if (action === "reset") form?.reset();
  }

  protected override draw(): void {
    const submits = this.getAttribute("form-action") === "submit";
    const variant = this.getAttribute("variant") ?? (submits ? "primary" : "normal");
    const iconName = this.getAttribute("icon-url") || this.getAttribute("icon");
    const loading = this.hasAttribute("loading");
    const picture = loading
      ? h("span", { class: "spinner", role: "img", "aria-label": text("loading") })
      : iconName
        ? icon(iconName)
        : undefined;
    // An author's empty submit button is named, since the original's default says "Submit".
    const empty = this.childNodes.length === 0;
    const words = h("slot", {}, ...(submits && empty ? [text("submit")] : []));
    const onlyIcon = variant === "icon";
    const content = onlyIcon ? [h("span", { class: "visually-hidden" }, words)] : [words];
    if (picture !== undefined) {
      if (this.getAttribute("icon-align") === "right") content.push(picture as HTMLSpanElement);
      else content.unshift(picture as HTMLSpanElement);
    }
    const label =
      this.getAttribute("aria-label") ||
      (this.textContent.trim() === "" && !(submits && empty)
        ? this.#spokenIcon(iconName)
        : undefined);
    this.setAttribute("aria-busy", String(loading));
    this.show(this.control(VARIANTS[variant] ?? "button", label || undefined, content));
  }

  #spokenIcon(own: string | null): string {
    const inner = own ?? this.querySelector("iron-icon")?.getAttribute("icon") ?? "";
    return this.title || inner.replaceAll("-", " ") || text("value");
  }
}
