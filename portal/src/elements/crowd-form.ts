import { frame } from "../frame/client";
import { onLocaleChange } from "../frame/locale";
import { type Json, type JsonObject, PAGE_KEYS, type PageMessage } from "../frame/protocol";
import { AnswerChangeEvent, AnswerElement } from "./answer-element";
import { gather } from "./answers";
import { closeButton, dialogOpen, h, isTyping, openDialog } from "./dom";
import {
  isField,
  type NativeField,
  nativeAnswer,
  nativeDraft,
  nativeProblem,
  resetNative,
  restoreNative,
} from "./native-fields";
import { text } from "./texts";
import { CONTROLS, sheet, THEME } from "./theme";
import { ToolElement } from "./tool-element";

const DRAFT_DELAY_MILLISECONDS = 300;

const STYLE = sheet(`
:host { display: block; color: var(--gw-text); font: 15px/1.55 var(--gw-font); }
:host([data-layout="tool"]) { display: flex; flex-direction: column; height: 100dvh; min-height: 420px; }
:host([data-alone]) { display: flex; flex-direction: column; min-height: 100dvh; }
:host([data-alone]) .page { flex: 1; }
.page { padding: 16px 20px; }
:host([data-layout="tool"]) .page { display: contents; }
.bar {
  position: sticky; bottom: 0; z-index: 2; display: flex; justify-content: flex-end; padding: 10px 20px;
  border-top: 1px solid var(--gw-line); background: var(--gw-page);
}
.problems {
  position: fixed; right: 16px; bottom: 64px; z-index: 5; max-width: min(440px, calc(100vw - 32px));
  max-height: 50dvh; padding: 10px 44px 12px 16px; overflow: auto; border-left: 4px solid var(--gw-danger);
  border-radius: var(--gw-radius); background: var(--gw-danger-soft); color: var(--gw-text);
  box-shadow: var(--gw-shadow);
}
:host([data-layout="tool"]) .problems { right: auto; left: 50%; translate: -50%; }
.problems .button { position: absolute; top: 4px; right: 4px; min-height: 28px; min-width: 28px; padding: 0; }
.problems p { margin: 0 0 4px; font-weight: 600; }
.problems ul { margin: 0; padding-left: 20px; }
pre {
  margin: 12px 0 0; padding: 12px; overflow: auto; border-radius: var(--gw-radius);
  background: var(--gw-surface); font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace;
}
`);

type Part = AnswerElement | NativeField;

/**
 * The form around all elements of a task.
 *
 * Like the original it fires `submit` (cancelable) once the answer is valid; `submit()` sends
 * without that event, so that a handler may prevent, change fields, and submit by itself.
 */
export class CrowdForm extends HTMLElement {
  readonly #root = this.attachShadow({ mode: "open" });
  readonly #page = h("div", { class: "page" }, h("slot"));
  readonly #bar = h("div", { class: "bar", hidden: true });
  readonly #button = h("button", { type: "button", class: "button primary", part: "submit" });
  readonly #problems = h("div", { class: "problems", role: "alert", hidden: true });
  readonly #stops: (() => void)[] = [];
  #draftTimer: ReturnType<typeof setTimeout> | undefined;
  #sending = false;
  #shown: { messages: readonly string[] } | undefined;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [THEME, CONTROLS, STYLE];
    this.#root.append(this.#page, this.#problems, this.#bar);
    this.#button.addEventListener("click", () => this.requestSubmit(this.#button));
  }

  connectedCallback(): void {
    this.#arrange();
    this.#write();
    const onKey = (event: KeyboardEvent) => this.#onKey(event);
    document.addEventListener("keydown", onKey);
    this.#stops.push(
      () => document.removeEventListener("keydown", onKey),
      frame().onMessage((message) => this.#onMessage(message)),
      onLocaleChange(() => this.#localeChanged()),
    );
    this.addEventListener(AnswerChangeEvent.type, this.#onChange);
    this.addEventListener("input", this.#onChange);
    this.addEventListener("change", this.#onChange);
    this.addEventListener("submit", this.#onInnerSubmit, { capture: true });
    this.addEventListener("click", this.#onClick);
  }

  disconnectedCallback(): void {
    for (const stop of this.#stops.splice(0)) stop();
    clearTimeout(this.#draftTimer);
  }

  /** The form itself: in the original an inner form, to which scripts append fields. */
  get form(): this {
    return this;
  }

  /** The elements and HTML fields that give answers, in document order. */
  get elements(): Part[] {
    return [...this.querySelectorAll<HTMLElement>("*")].filter(
      (element): element is Part =>
        (element instanceof AnswerElement || isField(element)) &&
        element.closest("crowd-form") === this,
    );
  }

  /** The answer as it would be submitted now. */
  get answer(): JsonObject {
    return gather(
      this.elements
        .filter((part) => part.name !== "" && !part.matches(":disabled, [disabled]"))
        .map((part): readonly [string, Json | undefined] => [part.name, answerOf(part)]),
    );
  }

  /** Validate, fire `submit`, and send the answer unless a handler prevents it. */
  requestSubmit(submitter: HTMLElement | null = null): void {
    if (this.#sending || !this.#valid()) return;
    const proceed = this.dispatchEvent(
      new SubmitEvent("submit", { bubbles: true, cancelable: true, submitter }),
    );
    if (proceed) this.#send();
  }

  /** Validate and send the answer, without firing `submit`. */
  submit(): void {
    if (!this.#sending && this.#valid()) this.#send();
  }

  /** Put every element back to what the template said. */
  reset(): void {
    if (!this.dispatchEvent(new Event("reset", { bubbles: true, cancelable: true }))) return;
    for (const part of this.elements) {
      if (part instanceof AnswerElement) part.reset();
      else resetNative(part);
    }
    this.#showProblems([]);
    this.#onChange();
  }

  /** Whether the form could be submitted now; shows what is missing. */
  reportValidity(): boolean {
    return this.#valid();
  }

  /** Bring back a draft that this form gave before. */
  restore(draft: JsonObject): void {
    const next = new Map<string, number>();
    for (const part of this.elements) {
      if (part.name === "") continue;
      const drafts = Object.hasOwn(draft, part.name) ? draft[part.name] : undefined;
      const index = next.get(part.name) ?? 0;
      next.set(part.name, index + 1);
      const value = Array.isArray(drafts) ? drafts[index] : undefined;
      if (value === undefined || value === null) continue;
      try {
        if (part instanceof AnswerElement) part.restore(value);
        else restoreNative(part, value);
      } catch (error) {
        // A draft of an older version must not keep the worker from the task.
        console.warn(`The draft of "${part.name}" does not fit any more`, error);
      }
    }
  }

  #draft(): JsonObject {
    const drafts = new Map<string, Json[]>();
    for (const part of this.elements) {
      if (part.name === "") continue;
      const value = part instanceof AnswerElement ? part.draft() : nativeDraft(part);
      drafts.set(part.name, [...(drafts.get(part.name) ?? []), value ?? null]);
    }
    return Object.fromEntries(drafts);
  }

  #arrange(): void {
    const shown = [...this.children].filter(
      (child) => !["script", "style", "link", "template", "meta"].includes(child.localName),
    );
    const only = shown.length === 1 ? shown[0] : undefined;
    const tool = only instanceof ToolElement ? only : undefined;
    const isAlone = this.#isAlone();
    const isWhole = tool !== undefined && isAlone;
    this.toggleAttribute("data-alone", isAlone);
    this.dataset.layout = isWhole ? "tool" : "page";
    tool?.toggleAttribute("data-fills", isWhole);
    if (
      this.querySelector(
        'crowd-button[form-action="submit"], button[type="submit"], input[type="submit"]',
      )
    ) {
      return;
    }
    if (isWhole) {
      this.#button.setAttribute("part", "submit");
      tool.placeSubmit(this.#button);
    } else {
      this.#bar.hidden = false;
      this.#bar.replaceChildren(this.#button);
    }
  }

  /** Whether the body has nothing to show beside this form, so that it may take the whole window. */
  #isAlone(): boolean {
    if (this.parentElement !== document.body) return false;
    return [...document.body.childNodes].every(
      (node) =>
        node === this ||
        node.nodeType === Node.COMMENT_NODE ||
        (node.nodeType === Node.TEXT_NODE && node.textContent?.trim() === "") ||
        (node instanceof Element && node.matches("script, style, link, template, meta")),
    );
  }

  #valid(): boolean {
    const messages: string[] = [];
    let first: Part | undefined;
    for (const part of this.elements) {
      if (part.matches(":disabled, [disabled]")) continue;
      const found = part instanceof AnswerElement ? part.validate() : nativeProblem(part);
      if (found.length > 0) first ??= part;
      messages.push(...found);
    }
    this.#showProblems(messages);
    if (first === undefined) return true;
    frame().send({ type: "invalid", messages });
    reveal(first);
    first.focus();
    // Away from the edges, where the messages and the bar would hide it.
    if (!(first instanceof ToolElement)) first.scrollIntoView({ block: "center" });
    return false;
  }

  #showProblems(messages: readonly string[]): void {
    this.#shown = { messages };
    this.#problems.hidden = messages.length === 0;
    const close = closeButton(text("close"));
    close.addEventListener("click", () => this.#showProblems([]));
    this.#problems.replaceChildren(
      h("p", {}, text("problems")),
      h("ul", {}, ...messages.map((message) => h("li", {}, message))),
      close,
    );
  }

  #send(): void {
    const answer = this.answer;
    if (!frame().hasPage) {
      this.#showPreview(answer);
      return;
    }
    clearTimeout(this.#draftTimer);
    this.#setSending(true);
    // The newest one, which brings the work back when the answer is refused or changed later.
    frame().send({ type: "draft", draft: this.#draft() });
    frame().send({ type: "submit", answer });
  }

  #setSending(sending: boolean): void {
    this.#sending = sending;
    this.#button.setAttribute("aria-disabled", String(sending));
    this.toggleAttribute("data-sending", sending);
    for (const button of this.querySelectorAll('crowd-button[form-action="submit"]')) {
      button.toggleAttribute("loading", sending);
    }
    this.#write();
  }

  #showPreview(answer: JsonObject): void {
    const close = closeButton(text("close"));
    const dialog = h(
      "dialog",
      { "aria-labelledby": "preview-title" },
      h(
        "div",
        { class: "dialog-head" },
        h("h2", { id: "preview-title" }, text("previewTitle")),
        close,
      ),
      h(
        "div",
        { class: "dialog-body" },
        text("previewText"),
        h(
          "pre",
          { tabindex: 0, "aria-label": text("previewText") },
          JSON.stringify(answer, null, 2),
        ),
      ),
    );
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    this.#root.append(dialog);
    openDialog(dialog);
  }

  #onMessage(message: PageMessage): void {
    switch (message.type) {
      case "start":
        if (message.draft !== null) this.restore(message.draft);
        for (const part of this.elements) {
          if (part instanceof ToolElement) part.settingsArrived();
        }
        this.#announceShortcuts();
        break;
      case "request-submit":
        this.requestSubmit();
        break;
      case "submit-failed":
        this.#setSending(false);
        break;
      case "submit-accepted":
        this.#button.textContent = text("submitted");
        break;
      case "language":
        break;
    }
  }

  #onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || dialogOpen()) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Enter" && this.#enterSubmits(event)) {
      event.preventDefault();
      this.requestSubmit();
    } else if (
      plain &&
      PAGE_KEYS.includes(event.key) &&
      (event.key === "Escape" || !isTyping(event))
    ) {
      frame().send({ type: "shortcut", key: event.key });
    }
  }

  #enterSubmits(event: KeyboardEvent): boolean {
    if (event.repeat || event.shiftKey || event.altKey) return false;
    const target = event.composedPath()[0];
    if (!(target instanceof HTMLElement)) return false;
    if (event.ctrlKey || event.metaKey) return true;
    // Where Enter has a meaning of its own, it keeps it.
    if (target instanceof HTMLInputElement) {
      return !["button", "submit", "reset", "file", "color"].includes(target.type);
    }
    return (
      target.closest(
        "button, a[href], textarea, select, summary, audio, video, [contenteditable]",
      ) === null && target.getAttribute("role") !== "tab"
    );
  }

  readonly #onChange = (): void => {
    if ((this.#shown?.messages.length ?? 0) > 0) this.#showProblems([]);
    if (this.#sending) return;
    clearTimeout(this.#draftTimer);
    this.#draftTimer = setTimeout(
      () => frame().send({ type: "draft", draft: this.#draft() }),
      DRAFT_DELAY_MILLISECONDS,
    );
  };

  /** A plain form inside this one submits this one: its own way out is closed by the sandbox. */
  readonly #onInnerSubmit = (event: SubmitEvent): void => {
    if (event.target === this) return;
    event.preventDefault();
    event.stopPropagation();
    this.requestSubmit(event.submitter);
  };

  /** HTML buttons without a form of their own do here what they do in one. */
  readonly #onClick = (event: MouseEvent): void => {
    const button = (event.target as Element).closest("button, input");
    const isButton = button instanceof HTMLButtonElement || button instanceof HTMLInputElement;
    if (event.defaultPrevented || !isButton || button.form !== null || button.disabled) return;
    if (button.type === "submit" || button.type === "image") this.requestSubmit(button);
    else if (button.type === "reset") this.reset();
  };

  #announceShortcuts(): void {
    const list = this.elements.flatMap((part) =>
      part instanceof AnswerElement ? [...part.shortcuts()] : [],
    );
    frame().send({
      type: "shortcuts",
      list: [...list, { keys: "Enter", does: text("keySubmit") }],
    });
  }

  #localeChanged(): void {
    this.#write();
    for (const part of this.elements) {
      if (part instanceof AnswerElement) part.localeChanged();
    }
    if ((this.#shown?.messages.length ?? 0) > 0) this.#valid();
    this.#announceShortcuts();
  }

  #write(): void {
    this.#button.textContent = text(this.#sending ? "submitting" : "submit");
    this.#button.title = `${text("submit")} (Enter)`;
  }
}

function answerOf(part: Part): Json | undefined {
  return part instanceof AnswerElement ? part.answer() : nativeAnswer(part);
}

/** Open the tabs and dialogs that hide an element. */
function reveal(element: Element): void {
  for (let at = element.parentElement; at !== null; at = at.parentElement) {
    if ("reveal" in at && typeof at.reveal === "function") at.reveal();
  }
}
