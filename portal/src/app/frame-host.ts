import {
  type FrameMessage,
  isFrameMessage,
  type JsonObject,
  type PageMessage,
  type Shortcut,
} from "../frame/protocol";
import { locale } from "./texts";

/** How long a template may take until it counts as silent. */
const SILENT_AFTER_MILLISECONDS = 15_000;

/**
 * One task's frame. It runs a customer's template under an opaque origin: what comes out of it is
 * data for the task at hand and nothing else.
 */
export class FrameHost {
  readonly element: HTMLIFrameElement;
  readonly #draft: JsonObject | null;
  readonly #settings: () => JsonObject;
  readonly #onMessage: (message: FrameMessage) => void;
  readonly #silence: ReturnType<typeof setTimeout>;
  #ready = false;
  shortcuts: readonly Shortcut[] = [];
  /** The newest draft that the frame told, or the one that it began with. */
  draft: JsonObject | null;
  /** Whether the picture is drawn and the tool usable. */
  isLoaded = false;
  onSilent: () => void = () => undefined;

  constructor(options: {
    readonly lease: string;
    readonly title: string;
    readonly draft: JsonObject | null;
    readonly settings: () => JsonObject;
    readonly onMessage: (message: FrameMessage) => void;
  }) {
    this.#draft = options.draft;
    this.draft = options.draft;
    this.#settings = options.settings;
    this.#onMessage = options.onMessage;
    this.element = document.createElement("iframe");
    this.element.className = "task-frame";
    this.element.title = options.title;
    // Set before it is in the document, so that nothing ever runs without it.
    this.element.setAttribute("sandbox", "allow-scripts allow-forms");
    this.element.setAttribute("referrerpolicy", "no-referrer");
    this.element.src = `/tasks/${encodeURIComponent(options.lease)}/frame`;
    window.addEventListener("message", this.#receive);
    this.#silence = setTimeout(() => {
      if (!this.#ready) this.onSilent();
    }, SILENT_AFTER_MILLISECONDS);
  }

  send(message: PageMessage): void {
    // An opaque origin has no name to send to.
    this.element.contentWindow?.postMessage(message, "*");
  }

  /** Hide a frame that loads ahead from eyes, keys and screen readers, at its full size. */
  setHidden(hidden: boolean): void {
    this.element.toggleAttribute("data-ahead", hidden);
    this.element.toggleAttribute("inert", hidden);
    if (hidden) this.element.setAttribute("aria-hidden", "true");
    else this.element.removeAttribute("aria-hidden");
  }

  /** Load it anew, for settings that changed while it loaded ahead. */
  reload(): void {
    this.isLoaded = false;
    this.element.src = this.element.src;
  }

  /** Bring the keyboard into the task. */
  focus(): void {
    // A frame whose document came after it was focused has the focus in name only.
    if (document.activeElement === this.element) this.element.blur();
    this.element.focus();
  }

  remove(): void {
    clearTimeout(this.#silence);
    window.removeEventListener("message", this.#receive);
    this.element.remove();
  }

  readonly #receive = (event: MessageEvent<unknown>): void => {
    if (event.source !== this.element.contentWindow || !isFrameMessage(event.data)) return;
    const message = event.data;
    if (message.type === "ready") {
      this.#ready = true;
      clearTimeout(this.#silence);
      const visible = !this.element.hasAttribute("data-ahead");
      const settings = this.#settings();
      this.send({ type: "start", draft: this.#draft, locale: locale(), visible, settings });
    }
    if (message.type === "loaded") this.isLoaded = true;
    if (message.type === "draft") this.draft = message.draft;
    if (message.type === "shortcuts") this.shortcuts = message.list.slice(0, 200);
    this.#onMessage(message);
  };
}
