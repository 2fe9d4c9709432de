import "./styles.css";
import { Api, ApiError } from "./api";
import { h } from "./dom";
import { Drafts } from "./drafts";
import { JobsPage } from "./jobs-page";
import { Outbox } from "./outbox";
import { RecentAnswers } from "./recent";
import { message, type Page, Shell, signInAddress, told } from "./shell";
import { TaskPage } from "./task-page";
import { chooseLocale, text } from "./texts";

class App {
  readonly #root: HTMLElement;
  readonly #api = new Api();
  #page: Page | null = null;
  #shell: Shell | null = null;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  async run(): Promise<void> {
    document.documentElement.lang = chooseLocale(navigator.languages);
    try {
      const me = await this.#api.me();
      const drafts = new Drafts(localStorage, me.workerId);
      drafts.removeOld();
      const outbox = new Outbox({
        storage: localStorage,
        worker: me.workerId,
        send: (lease, answer) => this.#api.answer(lease, answer),
        onAccepted: ({ lease, job, objectId, submittedAt, draft }) => {
          drafts.remove(job, objectId);
          const answer = { lease, objectId, submittedAt, draft };
          new RecentAnswers(localStorage, me.workerId, job).add(answer);
        },
      });
      void outbox.flush();
      window.addEventListener("online", () => void outbox.flush());
      this.#shell = new Shell({
        api: this.#api,
        me,
        drafts,
        outbox,
        go: (path) => this.#go(path),
      });
      this.#shell.mount(this.#root);
      window.addEventListener("popstate", () => this.#show());
      // A page that comes back out of the browser's cache gave its next task back when it left.
      window.addEventListener("pageshow", (event) => {
        if (event.persisted) location.reload();
      });
      this.#show();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) location.assign(signInAddress());
      else this.#showFailure(error);
    }
  }

  #go(path: string): void {
    history.pushState(null, "", path);
    this.#show();
  }

  #show(): void {
    const shell = this.#shell;
    if (shell === null) return;
    this.#page?.close();
    const job = /^\/jobs\/([^/]+)$/.exec(location.pathname)?.[1];
    const page =
      job === undefined ? new JobsPage(shell) : new TaskPage(shell, decodeURIComponent(job));
    this.#page = page;
    shell.show(page);
    // Where a new page would have set it; the first page has it there already.
    page.element.focus({ preventScroll: true });
    void page.open();
  }

  #showFailure(error: unknown): void {
    const again = h(
      "button",
      { type: "button", class: "button primary", click: () => location.reload() },
      text("retry"),
    );
    const isNetwork = error instanceof ApiError && error.status === 0;
    this.#root.replaceChildren(
      h(
        "main",
        { id: "main" },
        message({
          picture: "cloud",
          title: text(isNetwork ? "networkTitle" : "failedTitle"),
          paragraphs: [told(error)],
          actions: [again],
        }),
      ),
    );
  }
}

const root = document.getElementById("app");
if (root !== null) void new App(root).run();
