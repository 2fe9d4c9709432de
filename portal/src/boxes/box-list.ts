import { h } from "../elements/dom";
import type { BoxDocument, LabeledBox } from "./document";
import { lineSample } from "./icons";
import type { LabelStyle } from "./labels";
import { Roving } from "./roving";
import { text } from "./texts";

export interface BoxListState {
  readonly document: BoxDocument;
  readonly hidden: (box: LabeledBox) => boolean;
}

interface Row {
  box: LabeledBox;
  number: number;
  hidden: boolean;
  readonly row: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly size: HTMLElement;
  readonly name: HTMLElement;
}

/** The boxes as a list: what the picture shows, for those who cannot see it or would rather pick there. */
export class BoxList {
  readonly element = h("section", { class: "panel boxes" });
  readonly #title = h("span", { id: "boxes-title" });
  readonly #total = h("span", { class: "total" });
  readonly #list = h("ul", { "aria-labelledby": "boxes-title" });
  readonly #none = h("p", { class: "empty" });
  readonly #styleOf: (label: string) => LabelStyle;
  readonly #known: (label: string) => boolean;
  readonly #choose: (id: number, focus: boolean) => void;
  readonly #leave: () => void;
  readonly #roving = new Roving(this.#list, "button", ["ArrowUp", "ArrowDown"]);
  #rows = new Map<number, Row>();
  #state: BoxListState | undefined;

  constructor(
    styleOf: (label: string) => LabelStyle,
    known: (label: string) => boolean,
    choose: (id: number) => void,
    leave: () => void,
  ) {
    this.#styleOf = styleOf;
    this.#known = known;
    this.#choose = choose;
    this.#leave = leave;
    this.element.append(h("h3", {}, this.#title, this.#total), this.#none, this.#list);
    this.write();
  }

  /** Write all texts anew in the current language. */
  write(): void {
    this.#title.textContent = text("boxes");
    this.#rows.clear();
    this.#list.replaceChildren();
    if (this.#state) this.show(this.#state);
  }

  show(state: BoxListState): void {
    const { boxes, selected, nothing } = state.document;
    const focused = this.#focusedPosition();
    const rows = new Map<number, Row>();
    boxes.forEach((box, position) => {
      rows.set(box.id, this.#row(box, position + 1, state.hidden(box)));
    });
    for (const [id, { row }] of this.#rows) if (!rows.has(id)) row.remove();
    this.#place([...rows.values()]);
    for (const { box, row, button } of rows.values()) {
      const chosen = box.id === selected;
      if (row.classList.toggle("chosen", chosen)) {
        if (selected !== this.#state?.document.selected) row.scrollIntoView?.({ block: "nearest" });
        this.#roving.point(button);
      }
      button.setAttribute("aria-pressed", String(chosen));
    }
    this.#rows = rows;
    this.#state = state;
    this.#total.textContent = String(boxes.length);
    this.#none.hidden = boxes.length > 0;
    this.#list.hidden = boxes.length === 0;
    this.#none.textContent = text(nothing ? "nothingHere" : "noBoxes");
    this.#roving.point();
    this.#keepFocus(focused);
  }

  /** Move rows only where the order differs: usually one comes at the end. */
  #place(rows: readonly Row[]): void {
    rows.forEach(({ row }, position) => {
      const there = this.#list.children[position];
      if (there !== row) this.#list.insertBefore(row, there ?? null);
    });
  }

  #row(box: LabeledBox, number: number, hidden: boolean): Row {
    const known = this.#rows.get(box.id);
    if (known && known.box === box && known.number === number && known.hidden === hidden) {
      return known;
    }
    const row = known?.box.label === box.label ? known : this.#makeRow(box);
    if (row !== known) known?.row.remove();
    Object.assign(row, { box, number, hidden });
    row.row.classList.toggle("off", hidden);
    row.name.textContent = `${number}. ${box.label}`;
    row.size.dataset.text = `${box.width} × ${box.height}`;
    row.button.setAttribute("aria-label", describeBox(box, number, hidden));
    return row;
  }

  #makeRow(box: LabeledBox): Row {
    const { color, dash } = this.#styleOf(box.label);
    const name = h("span", { class: "name" });
    const size = h("span", { class: "size aside-text" });
    const button = h(
      "button",
      { type: "button", class: "main" },
      lineSample(color, dash),
      name,
      size,
    );
    const foreign = !this.#known(box.label);
    if (foreign) button.title = text("foreignLabel");
    const row = h("li", { class: foreign ? "row foreign" : "row" }, button);
    button.addEventListener("click", () => this.#choose(box.id, true));
    return { box, number: 0, hidden: false, row, button, size, name };
  }

  #focusedPosition(): number {
    const root = this.#list.getRootNode() as ShadowRoot | Document;
    const focused = root.activeElement;
    return focused
      ? [...this.#list.querySelectorAll("button")].indexOf(focused as HTMLButtonElement)
      : -1;
  }

  /** A deleted box's row had the focus: its neighbour takes it, or the picture. */
  #keepFocus(position: number): void {
    if (position < 0 || this.#focusedPosition() >= 0) return;
    const buttons = this.#list.querySelectorAll("button");
    const next = buttons[Math.min(position, buttons.length - 1)];
    if (next) next.focus();
    else this.#leave();
  }
}

/** Return a box in a sentence. */
export function describeBox(box: LabeledBox, number: number, hidden = false): string {
  const { label, width, height, left, top } = box;
  const row = text("boxRow", { number, label, width, height, left, top });
  return hidden ? text("boxRowHidden", { row }) : row;
}
