import { searchLabels } from "../boxes/labels";
import { frame } from "../frame/client";
import type { Json, JsonObject, Shortcut } from "../frame/protocol";
import { CLASS_KEYS, classIndex } from "./class-keys";
import { closeButton, closeOnBackdrop, dialogOpen, h, isTyping, openDialog } from "./dom";
import { parseLooseJson, parseStrings } from "./loose-json";
import { text } from "./texts";
import { sheet } from "./theme";
import { ToolElement } from "./tool-element";

const SEARCH_FROM = 13;

const STYLE = sheet(`
.side { padding: 12px; gap: 8px; }
.side h3 { margin: 0 4px; font-size: 14px; }
.side .hint { margin: -6px 4px 0; color: var(--gw-quiet); font-size: 13px; }
.options { display: flex; flex-direction: column; gap: 4px; min-height: 0; overflow: auto; padding: 2px; }
.option {
  display: flex; align-items: center; gap: 10px; min-height: 40px; padding: 6px 10px; cursor: pointer;
  border: 1px solid var(--gw-line); border-radius: var(--gw-radius); background: var(--gw-raised);
}
.option:hover { border-color: var(--gw-line-strong); }
.option:has(:checked) { border-color: var(--gw-accent); background: var(--gw-accent-soft); box-shadow: inset 0 0 0 1px var(--gw-accent); font-weight: 600; }
.option:has(:focus-visible) { outline: 2px solid var(--gw-focus); outline-offset: 1px; }
.option input { flex: none; width: 18px; height: 18px; margin: 0; accent-color: var(--gw-accent); outline: none; }
.option .name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.option.exclusion { position: sticky; bottom: 0; margin-top: 8px; border-style: dashed; border-color: var(--gw-line-strong); }
.option.exclusion:has(:checked) { border-style: solid; }
.problem { margin: 0 4px; color: var(--gw-danger); font-size: 14px; }
.problem:empty { display: none; }
.comment-note { margin: 0 4px; color: var(--gw-quiet); font-size: 13px; overflow-wrap: anywhere; }
.comment-note:empty { display: none; }
.side .link { align-self: flex-start; margin: 0 4px; font-size: 14px; }
@container (max-width: 760px) {
  .options { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
  .option.exclusion { margin-top: 0; }
}
`);

/** What the four classifiers share: categories with keys at the right, and the answer's form. */
export abstract class ClassifierElement extends ToolElement {
  static readonly observedAttributes = ["categories", "exclusion-category", "header"];
  static override readonly sheets: readonly CSSStyleSheet[] = [STYLE];

  protected abstract readonly multiple: boolean;
  #categories: readonly string[] = [];
  #exclusion: string | undefined;
  #chosen = new Set<string>();
  #excluded = false;
  #comment = "";
  readonly #title = h("h3", { id: "categories-title" });
  readonly #hint = h("p", { class: "hint" });
  readonly #search = h("input", { type: "search", class: "field", autocomplete: "off" });
  readonly #found = h("p", { class: "visually-hidden", role: "status" });
  readonly #options = h("div", {
    class: "options",
    "aria-labelledby": "categories-title",
    "aria-describedby": "choice-problem",
  });
  readonly #problem = h("p", { class: "problem", id: "choice-problem" });
  readonly #commentLink = h("button", { type: "button", class: "link", "aria-haspopup": "dialog" });
  readonly #commentNote = h("p", { class: "comment-note" });
  readonly #onKey = (event: KeyboardEvent): void => this.#keyPressed(event);

  override connectedCallback(): void {
    super.connectedCallback();
    for (const property of ["categories", "value"]) this.#adopt(property);
    if (this.parts.side.childElementCount === 0) this.#build();
    this.#read();
    document.addEventListener("keydown", this.#onKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onKey);
  }

  attributeChangedCallback(name: string): void {
    if (!this.isConnected || this.parts.side.childElementCount === 0) return;
    if (name === "header") super.localeChanged();
    else this.#read();
  }

  get categories(): readonly string[] {
    return this.#categories;
  }

  set categories(categories: readonly string[]) {
    this.setAttribute("categories", JSON.stringify(categories));
  }

  override answer(): Json | undefined {
    const chosen = this.#categories.filter((category) => this.#chosen.has(category));
    const comment = this.#comment === "" ? {} : { workerComment: this.#comment };
    if (this.multiple) {
      // "None of the above" is no class of the job, so it is the empty list.
      return chosen.length > 0 || this.#excluded ? { labels: chosen, ...comment } : undefined;
    }
    return chosen[0] === undefined ? undefined : { label: chosen[0], ...comment };
  }

  override validate(): readonly string[] {
    const problem = this.#findProblem();
    this.#problem.textContent = problem ?? "";
    return problem === undefined ? [] : [problem];
  }

  override draft(): Json {
    return {
      chosen: this.#categories.filter((category) => this.#chosen.has(category)),
      excluded: this.#excluded,
      comment: this.#comment,
    };
  }

  override restore(draft: Json): void {
    if (typeof draft !== "object" || draft === null || Array.isArray(draft)) return;
    const chosen = Array.isArray(draft.chosen) ? draft.chosen : [];
    this.#chosen = new Set(this.#categories.filter((category) => chosen.includes(category)));
    this.#excluded = draft.excluded === true && this.#exclusion !== undefined;
    this.#comment = typeof draft.comment === "string" ? draft.comment : "";
    this.#check();
  }

  override reset(): void {
    this.restore({});
    this.#problem.textContent = "";
  }

  override localeChanged(): void {
    super.localeChanged();
    if (this.#categories.length === 0) this.#read();
    else this.#write();
    if (this.#problem.textContent !== "") this.validate();
  }

  override focus(options?: FocusOptions): void {
    const inputs = this.#inputs();
    (inputs.find((input) => input.checked) ?? inputs[0])?.focus(options);
  }

  override shortcuts(): readonly Shortcut[] {
    const last = CLASS_KEYS[Math.min(this.#choices().length, CLASS_KEYS.length) - 1];
    if (last === undefined) return [];
    const keys = last === "1" ? "1" : `1–${last.toUpperCase()}`;
    return [
      { keys, does: text(this.multiple ? "keyMark" : "keyChoose") },
      { keys: "↑ ↓", does: text("keyUpDown") },
    ];
  }

  #build(): void {
    this.parts.side.append(
      this.#title,
      this.#hint,
      this.#search,
      this.#found,
      this.#options,
      this.#problem,
      this.#commentLink,
      this.#commentNote,
      h("slot"),
    );
    this.#options.setAttribute("role", this.multiple ? "group" : "radiogroup");
    this.#options.addEventListener("change", (event) => {
      const input = event.target as HTMLInputElement;
      this.#choose(Number(input.value), input.checked);
    });
    this.#search.addEventListener("input", () => this.#filter());
    this.#search.addEventListener("keydown", (event) => this.#searchKey(event));
    this.#commentLink.addEventListener("click", () => this.#openComment());
  }

  #adopt(property: string): void {
    // A script may have set the property before the element was defined.
    if (!Object.hasOwn(this, property)) return;
    const early: unknown = Reflect.get(this, property);
    Reflect.deleteProperty(this, property);
    if (property === "categories" && Array.isArray(early)) this.categories = early.map(String);
  }

  #read(): void {
    const attribute = this.getAttribute("categories");
    const parsed = parseStrings(attribute ?? "");
    if (attribute === null) this.templateProblem("categories", text("missing"));
    else if ("problem" in parsed) this.templateProblem("categories", parsed.problem);
    else if (parsed.value.length === 0) this.templateProblem("categories", text("noCategories"));
    this.#categories = "value" in parsed ? parsed.value : [];
    this.#exclusion = this.multiple ? this.#readExclusion() : undefined;
    this.#chosen = new Set(
      [...this.#chosen].filter((category) => this.#categories.includes(category)),
    );
    this.#options.replaceChildren(
      ...this.#choices().map((name, index) => this.#option(name, index)),
    );
    this.#write();
    this.#check();
  }

  #readExclusion(): string | undefined {
    const attribute = this.getAttribute("exclusion-category");
    if (attribute === null) return undefined;
    const parsed = parseLooseJson(attribute);
    const value = "value" in parsed ? parsed.value : attribute;
    if (typeof value === "string") return value;
    const words = (value as JsonObject | null)?.text;
    return typeof words === "string" && words !== "" ? words : undefined;
  }

  /** The categories, then the exclusion. */
  #choices(): readonly string[] {
    return this.#exclusion === undefined
      ? this.#categories
      : [...this.#categories, this.#exclusion];
  }

  #option(name: string, index: number): HTMLElement {
    const key = CLASS_KEYS[index];
    const input = h("input", {
      type: this.multiple ? "checkbox" : "radio",
      name: "choice",
      value: index,
      "aria-keyshortcuts": key?.toUpperCase(),
    });
    return h(
      "label",
      { class: index === this.#categories.length ? "option exclusion" : "option" },
      input,
      h("span", { class: "name" }, name),
      key === undefined ? null : h("kbd", { "aria-hidden": "true" }, key.toUpperCase()),
    );
  }

  #inputs(): HTMLInputElement[] {
    return [...this.#options.querySelectorAll("input")];
  }

  #choose(index: number, checked: boolean): void {
    const category = this.#categories[index];
    if (category === undefined) {
      this.#excluded = checked;
      if (checked) this.#chosen.clear();
    } else {
      if (!this.multiple) this.#chosen.clear();
      if (checked) this.#chosen.add(category);
      else this.#chosen.delete(category);
      this.#excluded = false;
    }
    this.#problem.textContent = "";
    this.#check();
    this.dispatchEvent(new Event("change", { bubbles: true }));
    this.changed();
  }

  #check(): void {
    this.#inputs().forEach((input, index) => {
      const category = this.#categories[index];
      input.checked = category === undefined ? this.#excluded : this.#chosen.has(category);
    });
    this.#commentNote.textContent =
      this.#comment === "" ? "" : `${text("commentAdded")}: ${this.#comment}`;
  }

  #findProblem(): string | undefined {
    if (this.#categories.length === 0) return text("badTemplate");
    if (this.answer() !== undefined) return undefined;
    if (!this.multiple) return text("chooseCategory");
    const exclusion = this.#exclusion;
    return exclusion === undefined
      ? text("chooseCategories")
      : text("chooseCategoriesOr", { exclusion });
  }

  #keyPressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.repeat || isTyping(event) || dialogOpen()) return;
    if (!this.#takesKeys()) return;
    const index = classIndex(event);
    const input = index === undefined ? undefined : this.#inputs()[index];
    if (index === undefined || input === undefined) return;
    event.preventDefault();
    if (this.#search.value !== "") {
      this.#search.value = "";
      this.#filter();
    }
    this.#choose(index, this.multiple ? !input.checked : true);
    // The focus follows, so that it is read out and the arrows go on from here.
    input.focus();
    input.scrollIntoView({ block: "nearest" });
  }

  /** Of several classifiers the one with the focus takes the keys, or else the first. */
  #takesKeys(): boolean {
    if (this.getClientRects().length === 0) return false;
    const all = [...document.querySelectorAll("*")].filter(
      (element) => element instanceof ClassifierElement,
    );
    const focused = all.find((element) => element.matches(":focus-within"));
    return (focused ?? all[0]) === this;
  }

  #filter(): void {
    const query = this.#search.value;
    const found = new Set(searchLabels(this.#choices(), query));
    const names = this.#choices();
    this.#options.querySelectorAll("label").forEach((label, index) => {
      label.hidden = !found.has(names[index] ?? "");
    });
    this.#found.textContent =
      query === "" ? "" : text("categoriesFound", { count: found.size, total: names.length });
  }

  #searchKey(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.#search.value !== "") {
      event.preventDefault();
      this.#search.value = "";
      this.#filter();
    } else if (event.key === "Enter" && this.#search.value !== "" && !event.isComposing) {
      // Enter picks the best match; the next Enter, on the category, submits.
      event.preventDefault();
      const best = searchLabels(this.#choices(), this.#search.value)[0];
      const index = best === undefined ? -1 : this.#choices().indexOf(best);
      if (index < 0) return;
      this.#search.value = "";
      this.#filter();
      this.#choose(index, true);
      this.#inputs()[index]?.focus();
    }
  }

  #openComment(): void {
    const region = this.#commentRegion();
    const close = closeButton(text("close"));
    const field = h("textarea", {
      class: "field",
      rows: 4,
      placeholder: region?.getAttribute("placeholder") ?? "",
      "aria-labelledby": "comment-title",
    });
    field.value = this.#comment;
    const done = h("button", { type: "button", class: "button primary" }, text("done"));
    const cancel = h("button", { type: "button", class: "button" }, text("cancel"));
    const dialog = h(
      "dialog",
      { "aria-labelledby": "comment-title" },
      h(
        "div",
        { class: "dialog-head" },
        h("h2", { id: "comment-title" }, region?.getAttribute("header") || text("addComment")),
        close,
      ),
      h("div", { class: "dialog-body" }, h("slot", { name: "worker-comment" }), field),
      h("div", { class: "dialog-foot" }, cancel, done),
    );
    for (const button of [close, cancel]) button.addEventListener("click", () => dialog.close());
    done.addEventListener("click", () => {
      this.#comment = field.value.trim();
      this.#check();
      this.changed();
      dialog.close();
    });
    dialog.addEventListener("close", () => dialog.remove());
    closeOnBackdrop(dialog);
    this.root.append(dialog);
    openDialog(dialog);
    field.focus();
  }

  #commentRegion(): Element | null {
    return this.querySelector(":scope > worker-comment");
  }

  #write(): void {
    this.#title.textContent = text("categories");
    this.#hint.textContent = text(this.multiple ? "chooseAny" : "chooseOne");
    this.#search.placeholder = text("findCategory");
    this.#search.setAttribute("aria-label", text("findCategory"));
    this.#search.hidden = this.#choices().length < SEARCH_FROM;
    const region = this.#commentRegion();
    this.#commentLink.hidden = region === null;
    this.#commentLink.textContent = region?.getAttribute("link-text") || text("addComment");
  }

  /** Tell the page that there is something to work on. */
  protected announceLoaded(): void {
    frame().send({ type: "loaded" });
  }
}
