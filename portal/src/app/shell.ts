import { type Api, ApiError, type Me } from "./api";
import { ask, h, ICONS, icon } from "./dom";
import type { Drafts } from "./drafts";
import type { Outbox } from "./outbox";
import { dateTime, text } from "./texts";

/** A page of the app; it fills `element`, and `close` ends everything that it began. */
export interface Page {
  readonly element: HTMLElement;
  open(): Promise<void>;
  close(): void;
}

const NOTICE_MILLISECONDS = 10_000;
/** A template may have any number of things told; the worker keeps sight of the page. */
const MOST_NOTICES = 4;

/** What all pages share: the bar at the top, notices, the worker, and the way to other pages. */
export class Shell {
  readonly api: Api;
  readonly me: Me;
  readonly drafts: Drafts;
  readonly outbox: Outbox;
  readonly go: (path: string) => void;
  readonly #notices = h("div", { class: "notices", role: "status" });
  readonly #content = h("div", { class: "content" });
  #isAskingToSignIn = false;

  constructor(parts: {
    readonly api: Api;
    readonly me: Me;
    readonly drafts: Drafts;
    readonly outbox: Outbox;
    readonly go: (path: string) => void;
  }) {
    this.api = parts.api;
    this.me = parts.me;
    this.drafts = parts.drafts;
    this.outbox = parts.outbox;
    this.go = parts.go;
  }

  mount(root: HTMLElement): void {
    root.replaceChildren(
      h("a", { class: "skip", href: "#main" }, text("skip")),
      h(
        "header",
        { class: "top" },
        h(
          "a",
          { class: "brand", href: "/", click: (event) => this.follow(event, "/") },
          mark(),
          "Groundwork",
        ),
        h(
          "span",
          { class: "worker", title: text("signedInAs", { email: this.me.email }) },
          icon(ICONS.person),
          h("span", {}, this.me.email),
        ),
        h(
          "form",
          { method: "post", action: "/logout" },
          h("button", { class: "button quiet" }, text("signOut")),
        ),
      ),
      this.#content,
      this.#notices,
    );
  }

  show(page: Page): void {
    this.#content.replaceChildren(page.element);
  }

  setTitle(title: string): void {
    document.title = title === "" ? "Groundwork" : `${title} · Groundwork`;
  }

  /** Go to another page without loading the app again, unless the worker wants a new tab. */
  follow(event: Event, path: string): void {
    const { ctrlKey, metaKey, shiftKey, button } = event as MouseEvent;
    if (ctrlKey || metaKey || shiftKey || button !== 0) return;
    event.preventDefault();
    this.go(path);
  }

  /** Say something that needs no answer. */
  notify(message: string, kind: "info" | "warning" = "info"): void {
    const notice = h("div", { class: `notice ${kind}` });
    const remove = () => notice.remove();
    notice.append(
      icon(kind === "info" ? ICONS.check : ICONS.warning),
      h("span", {}, message),
      h(
        "button",
        { type: "button", class: "button quiet small", "aria-label": text("close"), click: remove },
        icon(ICONS.close),
      ),
    );
    this.#notices.append(notice);
    while (this.#notices.childElementCount > MOST_NOTICES)
      this.#notices.firstElementChild?.remove();
    setTimeout(remove, kind === "info" ? NOTICE_MILLISECONDS / 2 : NOTICE_MILLISECONDS);
  }

  /** Ask to sign in again, and come back to this very page. */
  async signInAgain(): Promise<void> {
    if (this.#isAskingToSignIn) return;
    this.#isAskingToSignIn = true;
    await ask({
      title: text("signInTitle"),
      content: [h("p", {}, text("signInText"))],
      choices: [{ id: "sign-in", label: text("signIn"), isPrimary: true }],
      mustChoose: true,
    });
    location.assign(signInAddress());
  }
}

/** The address that signs in and comes back here. */
export function signInAddress(): string {
  return `/sign-in?return_to=${encodeURIComponent(location.pathname + location.search)}`;
}

/** A page that only says something, with a way on. */
export function message(options: {
  readonly picture: keyof typeof ICONS;
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly actions?: readonly HTMLElement[];
}): HTMLElement {
  return h(
    "section",
    { class: "message" },
    h("div", { class: "message-picture" }, icon(ICONS[options.picture])),
    h("h1", { tabindex: -1 }, options.title),
    ...options.paragraphs.map((paragraph) => h("p", {}, paragraph)),
    h("div", { class: "message-actions" }, ...(options.actions ?? [])),
  );
}

/** What to tell about a call that failed. */
export function told(error: unknown): string {
  if (error instanceof ApiError) {
    return error.status === 0 ? text("networkText") : `${error.message} (${error.code})`;
  }
  return String(error);
}

export function moment(iso: string): HTMLElement {
  return h("time", { datetime: iso }, dateTime(new Date(iso)));
}

function mark(): SVGSVGElement {
  return icon("M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4M10 8.6a1.4 1.4 0 110 2.8 1.4 1.4 0 010-2.8z");
}
