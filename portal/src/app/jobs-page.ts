import type { Job, Task } from "./api";
import { ApiError } from "./api";
import { h, ICONS, icon } from "./dom";
import { Polling } from "./polling";
import { message, moment, type Page, type Shell, told } from "./shell";
import { type TextKey, text, timeOfDay, wholeNumber } from "./texts";
import { durationText } from "./time";

const POLLING = { first: 5, longest: 30 };
/** Asking for held tasks is a call for each job. */
const MOST_ASKED_FOR_HELD = 20;

/** The worker's jobs. */
export class JobsPage implements Page {
  readonly element = h("main", { id: "main", class: "jobs", tabindex: -1 });
  readonly #shell: Shell;
  readonly #polling = new Polling(() => this.#refresh(), POLLING);
  readonly #list = h("div", { class: "jobs-list" });
  readonly #heading = h("h1", {}, text("jobs"));
  readonly #search = h("input", {
    type: "search",
    class: "search-field",
    "aria-label": text("searchJobs"),
    placeholder: text("searchJobs"),
    autocomplete: "off",
    input: () => this.#write(),
  });
  #jobs: readonly Job[] | null = null;
  #held: ReadonlyMap<string, Task> = new Map();
  #seen = "";

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  async open(): Promise<void> {
    this.#shell.setTitle(text("jobs"));
    this.element.replaceChildren(
      h(
        "div",
        { class: "jobs-head" },
        h("div", {}, this.#heading, h("p", { class: "muted" }, text("jobsIntro"))),
        h("label", { class: "search" }, icon(ICONS.search), this.#search),
      ),
      this.#list,
    );
    this.#list.replaceChildren(h("p", { class: "muted", role: "status" }, text("loading")));
    await this.#refresh();
    this.#polling.start();
  }

  close(): void {
    this.#polling.stop();
  }

  async #refresh(): Promise<boolean> {
    try {
      const jobs = await this.#shell.api.jobs();
      this.#held = await this.#findHeld(jobs);
      this.#jobs = jobs;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        void this.#shell.signInAgain();
        return false;
      }
      if (this.#jobs === null) this.#showFailure(error);
      return false;
    }
    const seen = JSON.stringify([this.#jobs, [...this.#held]]);
    const changed = seen !== this.#seen;
    this.#seen = seen;
    if (changed) this.#write();
    return changed;
  }

  async #findHeld(jobs: readonly Job[]): Promise<Map<string, Task>> {
    const asked = jobs.slice(0, MOST_ASKED_FOR_HELD).map(async (job) => {
      try {
        return await this.#shell.api.held(job.name);
      } catch (error) {
        // A job may end between the two calls.
        if (error instanceof ApiError && error.status !== 401) return [];
        throw error;
      }
    });
    const held = (await Promise.all(asked)).flat().filter((task) => !task.ahead);
    return new Map(held.map((task) => [task.job, task]));
  }

  #showFailure(error: unknown): void {
    const again = h(
      "button",
      { type: "button", class: "button primary", click: () => void this.#refresh() },
      text("retry"),
    );
    this.#list.replaceChildren(
      message({
        picture: "cloud",
        title: text(
          error instanceof ApiError && error.status === 0 ? "networkTitle" : "failedTitle",
        ),
        paragraphs: [told(error)],
        actions: [again],
      }),
    );
  }

  #write(): void {
    const jobs = this.#jobs ?? [];
    this.#heading.textContent = text("jobsTitle", { count: wholeNumber(jobs.length) });
    const query = this.#search.value.trim().toLowerCase();
    const found = jobs.filter((job) =>
      `${job.title} ${job.description} ${job.name} ${job.customer}`.toLowerCase().includes(query),
    );
    if (jobs.length === 0) this.#showNothing();
    else if (found.length === 0) this.#showNotFound();
    else this.#list.replaceChildren(this.#table(found));
  }

  #showNothing(): void {
    const noTeam = this.#shell.me.teams.length === 0;
    this.#list.replaceChildren(
      message({
        picture: "cup",
        title: text(noTeam ? "noTeam" : "noJobs"),
        paragraphs: [text(noTeam ? "noTeamHint" : "noJobsHint")],
      }),
    );
  }

  #showNotFound(): void {
    const clear = () => {
      this.#search.value = "";
      this.#search.focus();
      this.#write();
    };
    this.#list.replaceChildren(
      message({
        picture: "search",
        title: text("noJobFound", { query: this.#search.value.trim() }),
        paragraphs: [],
        actions: [h("button", { type: "button", class: "button", click: clear }, text("showAll"))],
      }),
    );
  }

  #table(jobs: readonly Job[]): HTMLElement {
    const columns: readonly TextKey[] = [
      "columnJob",
      "columnStatus",
      "columnCreated",
      "columnLeft",
      "columnCustomer",
      "columnAction",
    ];
    const heads = columns.map((key) =>
      h(
        "th",
        { scope: "col" },
        key === "columnAction" ? h("span", { class: "unseen" }, text(key)) : text(key),
      ),
    );
    return h(
      "table",
      { class: "jobs-table" },
      h("thead", {}, h("tr", {}, ...heads)),
      h("tbody", {}, ...jobs.map((job) => this.#row(job))),
    );
  }

  #row(job: Job): HTMLElement {
    const held = this.#held.get(job.name);
    const path = `/jobs/${encodeURIComponent(job.name)}`;
    const about = [
      h("strong", { class: "job-title" }, job.title),
      h("span", { class: "job-description" }, job.description),
      h(
        "span",
        { class: "muted small" },
        text("limitPerTask", { limit: durationText(job.taskTimeLimitSeconds) }),
      ),
    ];
    if (held) {
      const time = timeOfDay(new Date(Date.parse(held.expiresAt) - this.#shell.api.clockAhead));
      about.push(h("span", { class: "job-held" }, icon(ICONS.clock), text("openTask", { time })));
    }
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, ...about),
      h("td", { "data-label": text("columnStatus") }, status(job.status)),
      h("td", { "data-label": text("columnCreated") }, moment(job.createdAt)),
      h("td", { "data-label": text("columnLeft"), class: "number" }, wholeNumber(job.tasksLeft)),
      h("td", { "data-label": text("columnCustomer"), class: "customer" }, job.customer),
      h(
        "td",
        { class: "action" },
        h(
          "a",
          {
            class: held || job.tasksLeft > 0 ? "button primary" : "button",
            href: path,
            "aria-label": text(held ? "resumeWorkOn" : "startWorkingOn", { title: job.title }),
            click: (event) => this.#shell.follow(event, path),
          },
          text(held ? "resumeWork" : "startWorking"),
        ),
      ),
    );
  }
}

const STATUS_TEXTS: Readonly<Record<string, TextKey>> = {
  Initializing: "statusInitializing",
  InProgress: "statusInProgress",
  Stopping: "statusStopping",
  Completed: "statusCompleted",
  Failed: "statusFailed",
  Stopped: "statusStopped",
};

function status(value: string): HTMLElement {
  const key = STATUS_TEXTS[value];
  return h("span", { class: "status", "data-status": value }, key ? text(key) : value);
}
