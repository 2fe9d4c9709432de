import { h } from "../elements/dom";
import { icon, lineSample } from "./icons";
import { type LabelStyle, searchLabels } from "./labels";
import { Roving } from "./roving";
import { text } from "./texts";

/** From here on a search field pays for its place. */
const SEARCHED_FROM = 6;

export interface LabelPanelState {
  readonly chosen: string | undefined;
  readonly counts: ReadonlyMap<string, number>;
  readonly hidden: ReadonlySet<string>;
}

export interface LabelPanelActions {
  choose(label: string): void;
  toggle(label: string): void;
  /** The worker is done here: the keys belong to the picture again. */
  leave(): void;
}

interface Row {
  readonly row: HTMLElement;
  readonly main: HTMLButtonElement;
  readonly eye: HTMLButtonElement;
  readonly count: HTMLElement;
}

/** The list of labels: search, colour and line, number of boxes, key, and an eye to hide each. */
export class LabelPanel {
  readonly element = h("section", { class: "panel labels" });
  readonly #title = h("h3", { id: "labels-title" });
  readonly #search = h("input", { class: "field", type: "search", autocomplete: "off" });
  readonly #list = h("ul", { "aria-labelledby": "labels-title" });
  readonly #none = h("p", { class: "empty", role: "status", hidden: true });
  readonly #rows = new Map<string, Row>();
  readonly #labels: readonly string[];
  readonly #styleOf: (label: string) => LabelStyle;
  readonly #actions: LabelPanelActions;
  readonly #roving = new Roving(this.#list, "button", ["ArrowUp", "ArrowDown"]);
  #state: LabelPanelState | undefined;

  constructor(
    labels: readonly string[],
    styleOf: (label: string) => LabelStyle,
    actions: LabelPanelActions,
  ) {
    this.#labels = labels;
    this.#styleOf = styleOf;
    this.#actions = actions;
    for (const label of labels) this.#rows.set(label, this.#makeRow(label));
    this.#search.hidden = labels.length < SEARCHED_FROM;
    this.#search.addEventListener("input", () => this.#filter());
    this.#search.addEventListener("keydown", (event) => this.#onSearchKey(event));
    this.element.append(this.#title, this.#search, this.#none, this.#list);
    this.#filter();
    this.write();
  }

  /** Write all texts anew in the current language. */
  write(): void {
    this.#title.textContent = text("labels");
    this.#search.placeholder = text("findLabel");
    this.#search.setAttribute("aria-label", text("findLabel"));
    const state = this.#state;
    this.#state = undefined;
    if (state) this.show(state);
  }

  /** Let the worker type a part of a label's name. */
  search(): void {
    if (this.#search.hidden) this.#list.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
    else this.#search.select();
    this.#search.focus();
  }

  show(state: LabelPanelState): void {
    for (const label of this.#labels) this.#showRow(label, state);
    this.#state = state;
  }

  #showRow(label: string, state: LabelPanelState): void {
    const row = this.#rows.get(label);
    if (!row) return;
    const count = state.counts.get(label) ?? 0;
    const hidden = state.hidden.has(label);
    const chosen = state.chosen === label;
    const key = this.#styleOf(label).digit;
    row.count.dataset.text = String(count);
    row.row.classList.toggle("chosen", chosen);
    row.row.classList.toggle("off", hidden);
    row.main.setAttribute("aria-pressed", String(chosen));
    row.main.setAttribute(
      "aria-label",
      key === undefined
        ? text("labelChoiceNoKey", { label, count })
        : text("labelChoice", { label, count, key }),
    );
    row.eye.setAttribute("aria-pressed", String(hidden));
    row.eye.setAttribute("aria-label", text("hideLabel", { label }));
    row.eye.title = text("hideLabel", { label });
    row.eye.replaceChildren(icon(hidden ? "eyeOff" : "eye"));
    if (chosen && this.#state?.chosen !== label) row.row.scrollIntoView?.({ block: "nearest" });
  }

  #makeRow(label: string): Row {
    const { color, dash, digit } = this.#styleOf(label);
    const count = h("span", { class: "count aside-text" });
    const main = h(
      "button",
      { type: "button", class: "main", title: label },
      lineSample(color, dash),
      h("span", { class: "name" }, label),
      count,
      digit !== undefined && h("kbd", { class: "aside-text", "data-text": digit }),
    );
    const eye = h("button", { type: "button", class: "eye" });
    const row = h("li", { class: "row" }, main, eye);
    main.addEventListener("click", () => this.#actions.choose(label));
    eye.addEventListener("click", () => this.#actions.toggle(label));
    return { row, main, eye, count };
  }

  #filter(): void {
    const found = searchLabels(this.#labels, this.#search.value);
    this.#list.replaceChildren(
      ...found.map((label) => this.#rows.get(label)?.row).filter((row) => row !== undefined),
    );
    this.#roving.point();
    this.#none.hidden = found.length > 0;
    this.#none.textContent =
      found.length > 0 ? "" : text("noSuchLabel", { query: this.#search.value.trim() });
  }

  #onSearchKey(event: KeyboardEvent): void {
    // Enter and Escape confirm and cancel a syllable that is being composed.
    if (event.isComposing) return;
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.#list.querySelector("button")?.focus();
    } else if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      const best = searchLabels(this.#labels, this.#search.value)[0];
      if (event.key === "Enter" && !best) return;
      this.#search.value = "";
      this.#filter();
      if (event.key === "Enter" && best) this.#actions.choose(best);
      this.#actions.leave();
    }
  }
}
