import type { FrameMessage, JsonObject } from "../frame/protocol";
import { ApiError, type Task } from "./api";
import { ask, h, ICONS, icon, isTyping } from "./dom";
import { FrameHost } from "./frame-host";
import type { Delivery, OutboxState } from "./outbox";
import { Polling } from "./polling";
import { type RecentAnswer, RecentAnswers } from "./recent";
import { FrameSettings } from "./settings";
import { message, type Page, type Shell, told } from "./shell";
import { Tabs } from "./tabs";
import { text, timeOfDay, wholeNumber } from "./texts";
import { clockText, durationText, taskTime } from "./time";

const IDLE_POLLING = { first: 3, longest: 30 };
const TICK_MILLISECONDS = 500;
/** A task ahead that would be over this soon is not worth showing. */
const LEAST_LEFT_MILLISECONDS = 2_000;
/** Templates without a picture never say "loaded"; the next task need not wait for them. */
const AHEAD_AFTER_READY_MILLISECONDS = 1_500;
const START_AGAIN_MILLISECONDS = 3_000;
const RENEW_AFTER_MILLISECONDS = 400;
const LONGEST_FLUSH_MILLISECONDS = 3_000;
const LEFT_UNKNOWN_MILLISECONDS = 20_000;

/** A task on the page: the one that is worked on, the one ahead, or an answer being changed. */
interface Slot {
  task: Task;
  readonly host: FrameHost | null;
  /** When the worker began to see it, by this browser's clock; null for one ahead. */
  shownAt: number | null;
  isDraftBack: boolean;
}

/** Where the worker labels: one task after the other, the next one loading behind it. */
export class TaskPage implements Page {
  readonly element = h("main", { id: "main", class: "task", tabindex: -1 });
  readonly #shell: Shell;
  readonly #job: string;
  readonly #recent: RecentAnswers;
  readonly #settings: FrameSettings;
  #settingsTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #tabs = new Tabs();
  readonly #polling = new Polling(() => this.#pollIdle(), IDLE_POLLING);
  readonly #closed = new AbortController();
  #current: Slot | null = null;
  #ahead: Slot | null = null;
  /** The task that waits while an earlier answer is changed. */
  #waiting: Slot | null = null;
  #takingAhead: Promise<void> | null = null;
  #isExpired = false;
  #done = 0;
  #left: number | null = null;
  #leftAskedAt = 0;

  readonly #title = h("h1", { class: "task-title", hidden: true });
  readonly #description = h("p", { class: "task-description" });
  readonly #clock = h("span", { class: "clock-text" });
  readonly #timer = h(
    "span",
    { class: "clock", "data-state": "running" },
    icon(ICONS.clock),
    this.#clock,
  );
  readonly #warning = h("span", { class: "unseen", role: "alert" });
  readonly #progress = h("span", { class: "progress" });
  readonly #sending = h("span", { class: "sending", role: "status" });
  readonly #stage = h("div", { class: "stage" });
  readonly #note = h("div", { class: "task-note", hidden: true, role: "status" });
  readonly #decline = this.#button("decline", () => void this.#onDecline());
  readonly #release = this.#button("release", () => void this.#onRelease());
  readonly #stop = this.#button("stop", () => this.#onStop());
  readonly #recentButton = h(
    "button",
    {
      type: "button",
      class: "button quiet",
      "aria-label": text("recent"),
      title: text("recent"),
      click: () => void this.#onRecent(),
    },
    icon(ICONS.history),
    h("span", { class: "wide-only" }, text("recent")),
  );
  readonly #shortcutsButton = h(
    "button",
    {
      type: "button",
      class: "button quiet",
      "aria-label": text("shortcuts"),
      title: text("shortcuts"),
      click: () => void this.#onShortcuts(),
    },
    icon(ICONS.keyboard),
    h("span", { class: "wide-only" }, text("shortcuts")),
  );

  constructor(shell: Shell, job: string) {
    this.#shell = shell;
    this.#job = job;
    this.#recent = new RecentAnswers(localStorage, shell.me.workerId, job);
    this.#settings = new FrameSettings(localStorage, shell.me.workerId, job);
    this.#tabs.onElsewhere = () => void this.#onElsewhere();
    this.#tabs.onTakenOver = () => void this.#onTakenOver();
  }

  async open(): Promise<void> {
    this.element.replaceChildren(this.#bar(), this.#note, this.#stage);
    this.#showOpening();
    this.#shell.outbox.onState = (state) => this.#showSending(state);
    this.#shell.outbox.onDelivery = (delivery) => this.#onDelivery(delivery);
    this.#showSending(this.#shell.outbox.state);
    window.addEventListener("pagehide", this.#onLeave);
    window.addEventListener("keydown", this.#onKey);
    const tick = setInterval(() => this.#tick(), TICK_MILLISECONDS);
    this.#closed.signal.addEventListener("abort", () => clearInterval(tick));
    void this.#askLeft();
    // An answer that is still here should arrive before its task is asked for again.
    await Promise.race([this.#shell.outbox.flush(), pause(LONGEST_FLUSH_MILLISECONDS)]);
    await this.#next();
  }

  close(): void {
    this.#closed.abort();
    this.#onLeave();
    window.removeEventListener("pagehide", this.#onLeave);
    window.removeEventListener("keydown", this.#onKey);
    this.#polling.stop();
    this.#tabs.close();
    for (const slot of [this.#current, this.#waiting]) slot?.host?.remove();
    this.#current = null;
    this.#shell.outbox.onState = () => undefined;
    this.#shell.outbox.onDelivery = () => undefined;
  }

  // What is seen around the task

  #button(key: "decline" | "release" | "stop", click: () => void): HTMLButtonElement {
    return h(
      "button",
      { type: "button", class: "button", title: text(`${key}Hint`), click },
      text(key),
    );
  }

  #bar(): HTMLElement {
    return h(
      "div",
      { class: "task-bar" },
      h(
        "a",
        {
          class: "button quiet icon-only",
          href: "/",
          "aria-label": text("backToJobs"),
          title: text("backToJobs"),
          click: (event) => this.#shell.follow(event, "/"),
        },
        icon(ICONS.back),
      ),
      h("div", { class: "task-about" }, this.#title, this.#description),
      h("div", { class: "task-facts" }, this.#timer, this.#warning, this.#progress, this.#sending),
      h(
        "div",
        { class: "task-actions" },
        this.#recentButton,
        this.#shortcutsButton,
        this.#decline,
        this.#release,
        this.#stop,
      ),
    );
  }

  #setWorking(isWorking: boolean): void {
    for (const button of [this.#decline, this.#release, this.#stop]) button.hidden = !isWorking;
    this.#timer.hidden = !isWorking;
    this.#shortcutsButton.hidden = !isWorking;
    if (!isWorking) this.#warning.textContent = "";
  }

  #showMessage(content: Parameters<typeof message>[0]): void {
    this.#setWorking(false);
    this.#tabs.open(null);
    this.#showNote(null);
    const shown = message(content);
    // The frame ahead, if any, stays where it loads.
    for (const child of [...this.#stage.children]) {
      if (child !== this.#ahead?.host?.element) child.remove();
    }
    this.#stage.append(shown);
    shown.querySelector("h1")?.focus();
  }

  #showNote(note: string | null, ...actions: HTMLElement[]): void {
    this.#note.hidden = note === null;
    this.#note.replaceChildren(...(note === null ? [] : [h("span", {}, note), ...actions]));
  }

  #showSending(state: OutboxState): void {
    const words = {
      idle: () => "",
      sending: () =>
        state.state === "sending" && state.count > 1
          ? text("sendingMany", { count: state.count })
          : text("sending"),
      waiting: () =>
        navigator.onLine && state.state === "waiting"
          ? text("waitingNetwork", { seconds: Math.ceil(state.seconds) })
          : text("offline"),
      "signed-out": () => text("saved"),
    };
    this.#sending.dataset.state = state.state;
    const said = words[state.state]();
    this.#sending.replaceChildren(...(said === "" ? [] : [icon(ICONS.cloud), said]));
    if (state.state === "signed-out") void this.#shell.signInAgain();
  }

  #showProgress(): void {
    const parts = [text("doneHere", { count: wholeNumber(this.#done) })];
    if (this.#left !== null) parts.push(text("left", { count: wholeNumber(this.#left) }));
    this.#progress.textContent = parts.join(" · ");
  }

  #tick(): void {
    const task = this.#current?.task;
    if (task === undefined || this.#timer.hidden) return;
    const accepted = Date.parse(task.acceptedAt);
    const expires = Date.parse(task.expiresAt);
    const time = taskTime(accepted, expires, this.#shell.api.now());
    const limit = durationText(task.timeLimitSeconds);
    const elapsed = clockText(Math.min(time.elapsedSeconds, task.timeLimitSeconds));
    const said = text("timeOf", { elapsed, limit });
    if (this.#clock.textContent !== said) this.#clock.textContent = said;
    this.#timer.title = text("taskTime");
    if (this.#timer.dataset.state !== time.state) {
      this.#timer.dataset.state = time.state;
      // Said once, not at every second.
      this.#warning.textContent =
        time.state === "soon"
          ? text("timeLeftSoon", { left: durationText(Math.ceil(time.leftSeconds)) })
          : "";
    }
    if (time.state === "over" && !task.answered) void this.#onExpired();
  }

  // Which task is shown

  /** Show the next task, in whatever way there is one. */
  async #next(again?: string): Promise<void> {
    this.#polling.stop();
    // What is being taken ahead is the next task: asking beside it would give the same one twice.
    await this.#takingAhead;
    if (this.#closed.signal.aborted) return;
    const ahead = this.#ahead;
    if (again === undefined && ahead !== null) {
      this.#ahead = null;
      if (Date.parse(ahead.task.expiresAt) > this.#shell.api.now() + LEAST_LEFT_MILLISECONDS) {
        this.#show(ahead);
        return;
      }
      ahead.host?.remove();
    }
    try {
      const besides = this.#leasesUnderWay();
      if (this.#ahead !== null) besides.push(this.#ahead.task.lease);
      const task = await this.#shell.api.take(
        this.#job,
        again === undefined ? { besides } : { besides, again },
      );
      if (this.#closed.signal.aborted) return;
      if (task === null) this.#showIdle();
      else this.#show(this.#load(task));
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#onTakeFailed(error);
    }
  }

  #load(task: Task, draft: JsonObject | null = null): Slot {
    const kept = draft ?? this.#shell.drafts.find(this.#job, task.objectId);
    const problems = task.contentProblems ?? [];
    const slot: Slot = {
      task,
      host:
        problems.length > 0
          ? null
          : new FrameHost({
              lease: task.lease,
              title: text("taskFrame", { title: task.title }),
              draft: kept,
              settings: () => this.#settings.get(),
              onMessage: (said) => this.#onFrame(slot, said),
            }),
      shownAt: null,
      isDraftBack: kept !== null && draft === null,
    };
    return slot;
  }

  #show(slot: Slot): void {
    const { task, host } = slot;
    this.#current = slot;
    this.#isExpired = false;
    slot.shownAt = Date.now();
    this.#title.textContent = task.title;
    this.#title.hidden = false;
    this.#description.textContent = task.description;
    this.#shell.setTitle(task.title);
    this.#timer.dataset.state = "running";
    this.#setWorking(true);
    this.#timer.hidden = task.answered;
    for (const button of [this.#decline, this.#release]) button.hidden = task.answered;
    this.#showProgress();
    this.#showChanging(task);
    if (host === null) {
      this.#showTemplateProblem(task);
    } else {
      for (const child of [...this.#stage.children]) {
        const isKept = [slot, this.#waiting, this.#ahead].some(
          (each) => each?.host?.element === child,
        );
        if (!isKept) child.remove();
      }
      host.setHidden(false);
      if (!host.element.isConnected) this.#stage.append(host.element);
      host.onSilent = () => void this.#onSilent(slot);
      host.focus();
    }
    this.#tick();
    this.#tabs.open(task.lease);
    if (slot.isDraftBack) this.#shell.notify(text("draftBack"));
    slot.isDraftBack = false;
    if (task.ahead) void this.#start(slot);
    // One that loaded ahead says nothing again.
    if (host === null || host.isLoaded) void this.#takeAhead();
  }

  #showChanging(task: Task): void {
    if (!task.answered) {
      this.#showNote(null);
      return;
    }
    const keep = h(
      "button",
      { type: "button", class: "button small", click: () => this.#stopChanging() },
      text("stopChanging"),
    );
    this.#showNote(text("changing"), keep);
  }

  /** Let the time of a task that was taken ahead begin. */
  async #start(slot: Slot): Promise<void> {
    try {
      slot.task = { ...slot.task, ...(await this.#shell.api.start(slot.task.lease)) };
      this.#tick();
    } catch (error) {
      if (!(error instanceof ApiError) || this.#current !== slot) return;
      if (error.isPassing) {
        setTimeout(() => {
          if (this.#current === slot) void this.#start(slot);
        }, START_AGAIN_MILLISECONDS);
      } else if (error.status === 401) {
        void this.#shell.signInAgain();
      } else if (error.code === "LeaseExpired" || error.code === "LeaseNotFound") {
        this.#discard(slot);
        await this.#next();
      } else {
        this.#onTakeFailed(error);
      }
    }
  }

  /** Take the next task and let its frame load behind this one. */
  async #takeAhead(): Promise<void> {
    if (this.#takingAhead !== null) return;
    this.#takingAhead = this.#tryTakingAhead();
    await this.#takingAhead;
    this.#takingAhead = null;
  }

  async #tryTakingAhead(): Promise<void> {
    if (this.#current === null || this.#ahead !== null) return;
    const atHand = [this.#current, this.#waiting]
      .filter((slot) => slot !== null && !slot.task.answered)
      .map((slot) => (slot as Slot).task.lease);
    // Nobody is given a third task: this is asked again once the answer is in.
    if (atHand.length === 0 || this.#leasesUnderWay().length > 0) return;
    try {
      const task = await this.#shell.api.take(this.#job, { besides: atHand });
      if (task === null) return;
      if (this.#closed.signal.aborted || this.#isHeld(task.lease)) return;
      const slot = this.#load(task);
      this.#ahead = slot;
      if (slot.host !== null) {
        slot.host.setHidden(true);
        this.#stage.append(slot.host.element);
      }
    } catch {
      // The next task is taken when it is needed, and what is wrong is told then.
    }
  }

  /** Tasks whose answers have not arrived: the server would still give them as held ones. */
  #leasesUnderWay(): string[] {
    return this.#shell.outbox.letters
      .filter((letter) => letter.job === this.#job)
      .map((letter) => letter.lease);
  }

  #isHeld(lease: string): boolean {
    return [this.#current, this.#waiting].some((slot) => slot?.task.lease === lease);
  }

  #discard(slot: Slot): void {
    slot.host?.remove();
    if (this.#current === slot) this.#current = null;
    if (this.#ahead === slot) this.#ahead = null;
  }

  #showIdle(): void {
    this.#current = null;
    const asked = h(
      "p",
      { class: "muted small" },
      text("lastAsked", { time: timeOfDay(new Date()) }),
    );
    this.#left = null;
    this.#showProgress();
    this.#showMessage({
      picture: "cup",
      title: text("nothingNow"),
      paragraphs: [text("nothingNowHint")],
      actions: [
        asked,
        h(
          "button",
          { type: "button", class: "button", click: () => void this.#polling.now() },
          text("askNow"),
        ),
        this.#linkToJobs(),
      ],
    });
    this.#shell.setTitle(text("nothingNow"));
    this.#polling.start();
  }

  async #pollIdle(): Promise<boolean> {
    try {
      const task = await this.#shell.api.take(this.#job);
      const asked = this.#stage.querySelector(".message-actions .muted");
      if (asked) asked.textContent = text("lastAsked", { time: timeOfDay(new Date()) });
      if (task === null || this.#closed.signal.aborted) return false;
      this.#polling.stop();
      void this.#askLeft();
      this.#show(this.#load(task));
      return true;
    } catch (error) {
      const isPassing = error instanceof ApiError && error.isPassing;
      if (!isPassing && !this.#closed.signal.aborted) this.#onTakeFailed(error);
      return false;
    }
  }

  #onTakeFailed(error: unknown): void {
    this.#current = null;
    if (error instanceof ApiError && error.status === 401) {
      void this.#shell.signInAgain();
      return;
    }
    const code = error instanceof ApiError ? error.code : "";
    if (code === "JobNotOpen") {
      this.#polling.stop();
      this.#showMessage({
        picture: "check",
        title: text("stoppedTitle"),
        paragraphs: [text("stoppedText")],
        actions: [this.#linkToJobs(true)],
      });
      return;
    }
    if (code === "JobNotFound" || code === "NotInTeam") {
      this.#polling.stop();
      this.#showMessage({
        picture: "lock",
        title: text("jobGoneTitle"),
        paragraphs: [text("jobGoneText")],
        actions: [this.#linkToJobs(true)],
      });
      return;
    }
    const isNetwork = error instanceof ApiError && error.status === 0;
    this.#showMessage({
      picture: "cloud",
      title: text(isNetwork ? "networkTitle" : "failedTitle"),
      paragraphs: [told(error)],
      actions: [
        h(
          "button",
          { type: "button", class: "button primary", click: () => void this.#polling.now() },
          text("retry"),
        ),
        this.#linkToJobs(),
      ],
    });
    this.#polling.start();
  }

  #linkToJobs(isPrimary = false): HTMLElement {
    return h(
      "a",
      {
        class: isPrimary ? "button primary" : "button",
        href: "/",
        click: (event) => this.#shell.follow(event, "/"),
      },
      text("backToJobs"),
    );
  }

  #showTemplateProblem(task: Task): void {
    const shown = message({
      picture: "warning",
      title: text("templateTitle"),
      paragraphs: [text("templateText")],
    });
    const problems = (task.contentProblems ?? []).map((problem) => h("li", {}, problem));
    shown.append(h("ul", { class: "problems" }, ...problems));
    this.#stage.replaceChildren(shown);
  }

  async #askLeft(): Promise<void> {
    if (Date.now() - this.#leftAskedAt < LEFT_UNKNOWN_MILLISECONDS) return;
    this.#leftAskedAt = Date.now();
    try {
      const job = (await this.#shell.api.jobs()).find((each) => each.name === this.#job);
      this.#left = job?.tasksLeft ?? null;
    } catch {
      this.#left = null;
    }
    this.#showProgress();
  }

  // What the frame says

  #onFrame(slot: Slot, said: FrameMessage): void {
    if (slot !== this.#current) {
      if (slot === this.#ahead && said.type === "draft") return;
      if (said.type !== "loaded") return;
    }
    switch (said.type) {
      case "ready":
        if (document.activeElement === slot.host?.element) slot.host.focus();
        if (said.unsupported.length > 0) {
          this.#shell.notify(
            text("unsupported", { tags: said.unsupported.slice(0, 10).join(", ").slice(0, 300) }),
            "warning",
          );
        }
        setTimeout(() => {
          if (this.#current === slot) void this.#takeAhead();
        }, AHEAD_AFTER_READY_MILLISECONDS);
        break;
      case "loaded":
        if (slot === this.#current) void this.#takeAhead();
        break;
      case "draft":
        if (!slot.task.answered) this.#shell.drafts.save(this.#job, slot.task.objectId, said.draft);
        break;
      case "submit":
        void this.#onSubmit(slot, said.answer);
        break;
      case "shortcut":
        if (said.key === "?") void this.#onShortcuts();
        else this.#stop.focus();
        break;
      case "error":
        this.#shell.notify(text("frameError", { message: said.message.slice(0, 300) }), "warning");
        break;
      case "image-error":
        this.#showImageProblem(slot, said.message);
        break;
      case "settings":
        if (this.#settings.set(said.settings)) this.#renewAhead();
        break;
      case "invalid":
      case "shortcuts":
        break;
    }
  }

  /** The next task began with the old settings. */
  #renewAhead(): void {
    clearTimeout(this.#settingsTimer);
    this.#settingsTimer = setTimeout(() => this.#ahead?.host?.reload(), RENEW_AFTER_MILLISECONDS);
  }

  #showImageProblem(slot: Slot, problem: string): void {
    const reload = h(
      "button",
      { type: "button", class: "button small", click: () => this.#reload(slot) },
      text("reload"),
    );
    this.#showNote(text("imageError", { message: problem.slice(0, 300) }), reload);
  }

  /** Load a task's frame anew, with what was drawn so far. */
  #reload(slot: Slot): void {
    const draft = slot.host?.draft;
    slot.host?.remove();
    this.#show(this.#load(slot.task, draft ?? {}));
  }

  async #onSilent(slot: Slot): Promise<void> {
    if (this.#current !== slot) return;
    try {
      await this.#shell.api.resume(slot.task.lease);
      this.#showNote(text("frameSilent"));
    } catch (error) {
      this.#discard(slot);
      if (error instanceof ApiError && ["LeaseExpired", "LeaseNotFound"].includes(error.code)) {
        await this.#next();
      } else {
        this.#onTakeFailed(error);
      }
    }
  }

  // Submitting

  async #onSubmit(slot: Slot, answer: JsonObject): Promise<void> {
    const { task, host } = slot;
    const began = task.answered ? (slot.shownAt ?? Date.now()) : this.#localTime(task.acceptedAt);
    const seconds = Math.max(0, (Date.now() - began) / 1000);
    this.#shell.outbox.add({
      lease: task.lease,
      job: this.#job,
      objectId: task.objectId,
      answer: {
        answerContent: answer,
        timeSpentInSeconds: Math.round(seconds * 10) / 10,
        ...(task.answered ? { replaces: true } : {}),
      },
      submittedAt: Date.now(),
      draft: host?.draft ?? null,
    });
    if (task.answered) {
      this.#stopChanging();
    } else if (this.#ahead !== null) {
      // The next task is there already; the answer goes its own way meanwhile.
      this.#discard(slot);
      await this.#next();
    }
    // Otherwise the frame waits for what becomes of the answer, in #onDelivery.
  }

  #localTime(iso: string): number {
    return Date.parse(iso) - this.#shell.api.clockAhead;
  }

  #onDelivery(delivery: Delivery): void {
    const { letter } = delivery;
    const slot = this.#current?.task.lease === letter.lease ? this.#current : null;
    if (slot === null) void this.#takeAhead();
    if (delivery.state === "accepted") {
      if (letter.job === this.#job) this.#onAccepted(letter, slot);
      return;
    }
    const { code, message: reason } = delivery.error;
    if (code === "LeaseExpired" || code === "LeaseNotFound") {
      if (slot === null) this.#shell.notify(text("answerLate"), "warning");
      else void this.#onExpired();
    } else if (code === "JobNotOpen") {
      this.#shell.notify(text(letter.answer.replaces ? "changedLate" : "answerStopped"), "warning");
      if (slot !== null) this.#discard(slot);
      if (slot !== null && !letter.answer.replaces) this.#onTakeFailed(delivery.error);
    } else if (code === "AlreadyAnswered") {
      this.#shell.drafts.remove(letter.job, letter.objectId);
      this.#shell.notify(text("answerTwice"), "warning");
      if (slot !== null) this.#goOn(slot);
    } else {
      this.#shell.notify(text("answerRefused", { message: reason }), "warning");
      slot?.host?.send({ type: "submit-failed" });
    }
  }

  #onAccepted(letter: Delivery["letter"], slot: Slot | null): void {
    if (!letter.answer.replaces) {
      this.#done += 1;
      if (this.#left !== null) this.#left = Math.max(0, this.#left - 1);
      void this.#askLeft();
    }
    this.#showProgress();
    slot?.host?.send({ type: "submit-accepted" });
    if (slot !== null) this.#goOn(slot);
  }

  #goOn(slot: Slot): void {
    this.#discard(slot);
    if (this.#ahead === null) this.#showOpening();
    void this.#next();
  }

  #showOpening(): void {
    this.#showMessage({ picture: "clock", title: text("loadingTask"), paragraphs: [] });
  }

  // What the worker does with the task besides answering it

  async #onDecline(): Promise<void> {
    const slot = this.#current;
    if (slot === null) return;
    const choice = await ask({
      title: text("declineQuestion"),
      content: [h("p", {}, text("declineText"))],
      choices: [
        { id: "", label: text("cancel") },
        { id: "decline", label: text("decline"), isPrimary: true },
      ],
      signal: this.#closed.signal,
    });
    if (choice !== "decline" || this.#current !== slot) return;
    await this.#giveBack(slot, () => this.#shell.api.decline(slot.task.lease));
    this.#shell.drafts.remove(this.#job, slot.task.objectId);
  }

  async #onRelease(): Promise<void> {
    const slot = this.#current;
    if (slot !== null) await this.#giveBack(slot, () => this.#shell.api.release(slot.task.lease));
  }

  async #giveBack(slot: Slot, call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      // One that is gone anyway is given back.
      const isGone =
        error instanceof ApiError && ["LeaseExpired", "LeaseNotFound"].includes(error.code);
      if (!isGone) {
        if (error instanceof ApiError && error.code === "JobNotOpen") this.#onTakeFailed(error);
        else if (error instanceof ApiError && error.status === 401) void this.#shell.signInAgain();
        else this.#shell.notify(told(error), "warning");
        return;
      }
    }
    this.#goOn(slot);
  }

  #onStop(): void {
    this.#shell.go("/");
  }

  async #onExpired(): Promise<void> {
    const slot = this.#current;
    if (slot === null || this.#isExpired) return;
    // An answer that is on its way may still be in time.
    if (this.#shell.outbox.letters.some(({ lease }) => lease === slot.task.lease)) return;
    this.#isExpired = true;
    this.#keepDraft(slot);
    const choice = await ask({
      title: text("expiredTitle"),
      content: [h("p", {}, text("expiredText"))],
      choices: [
        { id: "next", label: text("nextTask") },
        { id: "again", label: text("takeAgain"), isPrimary: true },
      ],
      mustChoose: true,
      signal: this.#closed.signal,
    });
    if (this.#closed.signal.aborted) return;
    const { lease, objectId } = slot.task;
    this.#discard(slot);
    await this.#next(choice === "again" ? lease : undefined);
    const now = this.#shownTask()?.objectId;
    if (choice === "again" && now !== objectId) {
      this.#shell.notify(text("expiredElsewhere"), "warning");
    }
  }

  #shownTask(): Task | undefined {
    return this.#current?.task;
  }

  #keepDraft(slot: Slot): void {
    const draft = slot.host?.draft;
    if (draft && !slot.task.answered) this.#shell.drafts.save(this.#job, slot.task.objectId, draft);
  }

  // Changing an answer

  async #onRecent(): Promise<void> {
    const answers = this.#recent.list();
    const items = answers.map((answer) =>
      h(
        "li",
        {},
        h(
          "span",
          {},
          text("recentItem", {
            number: answer.objectId + 1,
            time: timeOfDay(new Date(answer.submittedAt)),
          }),
        ),
        h(
          "button",
          {
            type: "button",
            class: "button small",
            click: (event) => {
              (event.target as HTMLElement).closest("dialog")?.close();
              void this.#change(answer);
            },
          },
          text("change"),
        ),
      ),
    );
    await ask({
      title: text("recentTitle"),
      content: [
        h("p", { class: "muted" }, text(items.length > 0 ? "recentText" : "recentNone")),
        items.length > 0 ? h("ul", { class: "recent" }, ...items) : null,
      ],
      choices: [{ id: "", label: text("close") }],
      signal: this.#closed.signal,
    });
  }

  async #change(answer: RecentAnswer): Promise<void> {
    try {
      const task = await this.#shell.api.resume(answer.lease);
      if (!task.answered || this.#closed.signal.aborted) return;
      if (this.#current?.task.answered) this.#stopChanging();
      this.#waiting = this.#current;
      this.#waiting?.host?.setHidden(true);
      this.#polling.stop();
      this.#show(this.#load(task, answer.draft ?? {}));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) void this.#shell.signInAgain();
      else if (error instanceof ApiError && error.isPassing)
        this.#shell.notify(told(error), "warning");
      else {
        this.#recent.remove(answer.lease);
        this.#shell.notify(text("changedLate"), "warning");
      }
    }
  }

  #stopChanging(): void {
    const slot = this.#current;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (slot !== null) this.#discard(slot);
    if (waiting !== null) this.#show(waiting);
    else void this.#next();
  }

  // Shortcuts and keys

  async #onShortcuts(): Promise<void> {
    const slot = this.#current;
    if (document.querySelector("dialog[open]") !== null) return;
    const page = [
      { keys: "?", does: text("keyHelp") },
      { keys: "Esc", does: text("keyLeave") },
      { keys: "Esc", does: text("keyEnterTask") },
    ];
    const list = (items: readonly { keys: string; does: string }[]) =>
      h(
        "dl",
        { class: "shortcuts" },
        ...items.map(({ keys, does }) =>
          h("div", {}, h("dt", {}, h("kbd", {}, keys)), h("dd", {}, does)),
        ),
      );
    const task = slot?.host?.shortcuts ?? [];
    await ask({
      title: text("shortcutsTitle"),
      content: [
        ...(task.length > 0 ? [h("h3", {}, text("shortcutsTask")), list(task)] : []),
        h("h3", {}, text("shortcutsPage")),
        list(page),
      ],
      choices: [{ id: "", label: text("close"), isPrimary: true }],
      signal: this.#closed.signal,
    });
    this.#current?.host?.focus();
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event) || document.querySelector("dialog[open]") !== null) return;
    if (event.key === "?") {
      event.preventDefault();
      void this.#onShortcuts();
    } else if (event.key === "Escape") {
      this.#current?.host?.focus();
    }
  };

  // Two tabs, and leaving

  async #onElsewhere(): Promise<void> {
    const slot = this.#current;
    if (slot === null) return;
    const choice = await ask({
      title: text("otherTabTitle"),
      content: [h("p", {}, text("otherTabText"))],
      choices: [
        { id: "jobs", label: text("backToJobs") },
        { id: "here", label: text("useHere"), isPrimary: true },
      ],
      mustChoose: true,
      signal: this.#closed.signal,
    });
    if (this.#closed.signal.aborted) return;
    if (choice !== "here") {
      this.#shell.go("/");
      return;
    }
    this.#tabs.takeOver();
    if (this.#current === slot) this.#reopen(slot);
  }

  async #onTakenOver(): Promise<void> {
    // The other tab has the task ahead, too.
    if (this.#ahead !== null) this.#discard(this.#ahead);
    if (this.#current !== null) this.#discard(this.#current);
    const here = h(
      "button",
      { type: "button", class: "button primary", click: () => void this.#takeBack() },
      text("useHere"),
    );
    this.#showMessage({
      picture: "tabs",
      title: text("movedTitle"),
      paragraphs: [text("movedText")],
      actions: [here, this.#linkToJobs()],
    });
  }

  async #takeBack(): Promise<void> {
    await this.#next();
    // The other tab answers that it has the task; the worker has chosen already.
    this.#tabs.takeOver();
  }

  /** Show a task again with what another tab kept of it. */
  #reopen(slot: Slot): void {
    slot.host?.remove();
    this.#show(this.#load(slot.task));
  }

  readonly #onLeave = (): void => {
    if (this.#current !== null) this.#keepDraft(this.#current);
    if (this.#ahead === null) return;
    this.#shell.api.releaseOnLeaving(this.#ahead.task.lease);
    this.#discard(this.#ahead);
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
