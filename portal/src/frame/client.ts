import { setLocale } from "./locale";
import { type FrameMessage, isPageMessage, type JsonObject, type PageMessage } from "./protocol";

type Listener = (message: PageMessage) => void;

/** The frame's side of the talk with the page of the task. */
export class FrameClient {
  /** What the worker set up in earlier tasks (panel closed, brightness, ...), as the page kept it. */
  settings: JsonObject = {};
  #started = false;
  readonly #listeners = new Set<Listener>();
  readonly #window: Window;

  constructor(window_: Window) {
    this.#window = window_;
    window_.addEventListener("message", (event) => this.#receive(event));
  }

  /** Whether a page is there that takes answers; false in previews, where nobody says "start". */
  get hasPage(): boolean {
    return this.#started;
  }

  send(message: FrameMessage): void {
    if (this.#window.parent === this.#window) return;
    // The page's origin is unknown in a frame of opaque origin; `frame-ancestors 'self'` in the
    // frame's content policy says who the parent can be.
    this.#window.parent.postMessage(message, "*");
  }

  /** Call `listener` for each message of the page; returns how to stop. */
  onMessage(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keep a choice of the worker for the next tasks. */
  remember(settings: JsonObject): void {
    this.settings = { ...this.settings, ...settings };
    this.send({ type: "settings", settings: this.settings });
  }

  #receive(event: MessageEvent): void {
    if (this.#window.parent === this.#window || event.source !== this.#window.parent) return;
    const message: unknown = event.data;
    if (!isPageMessage(message)) return;
    if (message.type === "start") {
      this.#started = true;
      this.settings = message.settings ?? {};
    }
    if (message.type === "start" || message.type === "language") setLocale(message.locale);
    for (const listener of this.#listeners) listener(message);
  }
}

let shared: FrameClient | undefined;

/** The one client of this document. */
export function frame(): FrameClient {
  shared ??= new FrameClient(window);
  return shared;
}
