import { h } from "./dom";
import { ModalElement } from "./modal-element";
import { text } from "./texts";
import { sheet } from "./theme";

const STYLE = sheet(`
.tabs { display: flex; flex-wrap: wrap; border-bottom: 1px solid var(--gw-line); margin: -8px 0 14px; }
.tabs button {
  min-height: 38px; padding: 6px 14px; margin-bottom: -1px; border: 0; border-bottom: 3px solid transparent;
  background: none; color: var(--gw-quiet); font: 500 15px/1.4 var(--gw-font); cursor: pointer;
}
.tabs button[aria-selected="true"] { border-bottom-color: var(--gw-accent); color: var(--gw-text); }
.tabs button:focus-visible { outline-offset: -2px; }
h3 { display: flex; align-items: center; gap: 8px; margin: 16px 0 6px; font-size: 15px; }
h3.good { color: var(--gw-good); }
h3.bad { color: var(--gw-danger); }
.good-box, .bad-box { padding-left: 14px; border-left: 4px solid var(--gw-good); }
.bad-box { border-left-color: var(--gw-danger); }
`);

const REGIONS = ["short-summary", "detailed-instructions", "positive-example", "negative-example"];

/** Instructions in a dialog of three pages: summary, detailed instructions, examples. */
export class CrowdInstructions extends ModalElement {
  static override readonly sheets = [STYLE];
  #chosen = 0;
  readonly #list = h("div", { class: "tabs", role: "tablist" });
  readonly #good = h("h3", { class: "good" });
  readonly #bad = h("h3", { class: "bad" });
  readonly #goodBox = h(
    "div",
    {},
    this.#good,
    h("div", { class: "good-box" }, h("slot", { name: "positive-example" })),
  );
  readonly #badBox = h(
    "div",
    {},
    this.#bad,
    h("div", { class: "bad-box" }, h("slot", { name: "negative-example" })),
  );
  readonly #panels = [
    h(
      "div",
      { role: "tabpanel", id: "panel-0", tabindex: 0 },
      h("slot", { name: "short-summary" }),
    ),
    h(
      "div",
      { role: "tabpanel", id: "panel-1", tabindex: 0 },
      h("slot", { name: "detailed-instructions" }),
    ),
    h("div", { role: "tabpanel", id: "panel-2", tabindex: 0 }, this.#goodBox, this.#badBox),
  ];

  protected override fill(): void {
    for (const child of this.children) {
      if (REGIONS.includes(child.localName)) child.slot = child.localName;
    }
    this.body.append(this.#list, ...this.#panels);
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  protected override write(): void {
    this.#good.textContent = `✓ ${text("goodExamples")}`;
    this.#bad.textContent = `✕ ${text("badExamples")}`;
    this.#goodBox.hidden = this.querySelector("positive-example") === null;
    this.#badBox.hidden = this.querySelector("negative-example") === null;
    const titles = [text("summary"), text("detailedInstructions"), text("examples")];
    const pages = this.#pages();
    if (!pages.includes(this.#chosen)) this.#chosen = pages[0] ?? 0;
    const buttons = titles.map((title, index) => {
      const selected = index === this.#chosen;
      const panel = this.#panels[index];
      panel?.setAttribute("aria-label", title);
      panel?.toggleAttribute("hidden", !selected);
      const button = h(
        "button",
        {
          type: "button",
          role: "tab",
          "aria-selected": String(selected),
          "aria-controls": `panel-${index}`,
          tabindex: selected ? 0 : -1,
          hidden: !pages.includes(index),
        },
        title,
      );
      button.addEventListener("click", () => this.#choose(index, false));
      return button;
    });
    this.#list.replaceChildren(...buttons);
  }

  protected override get defaultLinkText(): string {
    return text("clickForInstructions");
  }

  protected override get title_(): string {
    return text("instructions");
  }

  /** The pages that the template gives content for. */
  #pages(): number[] {
    const wanted = ["short-summary", "detailed-instructions", "positive-example, negative-example"];
    return wanted.flatMap((regions, index) =>
      this.querySelector(regions) === null ? [] : [index],
    );
  }

  #choose(index: number, focus: boolean): void {
    this.#chosen = index;
    this.write();
    if (focus) this.#list.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
  }

  #onKey(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const pages = this.#pages();
    const at = pages.indexOf(this.#chosen) + step;
    this.#choose(pages[(at + pages.length) % pages.length] ?? 0, true);
  }
}
