import type { JsonObject } from "../frame/protocol";
import { type Answer, ApiError } from "./api";
import type { KeyedStorage } from "./drafts";
import { backoffSeconds } from "./time";

/** An answer on its way. */
export interface Letter {
  readonly lease: string;
  readonly job: string;
  readonly objectId: number;
  readonly answer: Answer;
  readonly submittedAt: number;
  /** What brings the work back when the answer is refused or changed later. */
  readonly draft: JsonObject | null;
}

export type Delivery =
  | { readonly state: "accepted"; readonly letter: Letter }
  | { readonly state: "refused"; readonly letter: Letter; readonly error: ApiError };

export type OutboxState =
  | { readonly state: "idle" }
  | { readonly state: "sending"; readonly count: number }
  | { readonly state: "waiting"; readonly count: number; readonly seconds: number }
  | { readonly state: "signed-out"; readonly count: number };

export interface OutboxParts {
  readonly storage: KeyedStorage;
  readonly worker: string;
  readonly send: (lease: string, answer: Answer) => Promise<void>;
  /** Called for each accepted answer, whatever page is shown. */
  readonly onAccepted?: (letter: Letter) => void;
  readonly wait?: (seconds: number) => { readonly over: Promise<void>; readonly end: () => void };
  readonly random?: () => number;
}

/**
 * Answers that are submitted but not yet accepted: kept in the browser, sent one after the other,
 * tried again for as long as it takes.
 *
 * The server takes the same answer to the same task twice as once, so that sending again is safe.
 */
export class Outbox {
  readonly #key: string;
  readonly #parts: Required<OutboxParts>;
  #letters: Letter[];
  #running = false;
  #wake: () => void = () => undefined;
  #state: OutboxState = { state: "idle" };
  onState: (state: OutboxState) => void = () => undefined;
  onDelivery: (delivery: Delivery) => void = () => undefined;

  constructor(parts: OutboxParts) {
    this.#parts = {
      wait: waitInBrowser,
      random: Math.random,
      onAccepted: () => undefined,
      ...parts,
    };
    this.#key = `groundwork.outbox.${parts.worker}`;
    this.#letters = this.#read();
  }

  get state(): OutboxState {
    return this.#state;
  }

  get letters(): readonly Letter[] {
    return this.#letters;
  }

  /** Keep an answer and send it; whether the browser could keep it is told. */
  add(letter: Letter): boolean {
    // What another tab put there meanwhile is its own to send.
    this.#letters = [...this.#letters.filter((each) => each.lease !== letter.lease), letter];
    const kept = this.#write();
    void this.flush();
    return kept;
  }

  /** Send now what waits. */
  async flush(): Promise<void> {
    this.#wake();
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#sendAll();
    } finally {
      this.#running = false;
    }
  }

  async #sendAll(): Promise<void> {
    let attempt = 0;
    for (let letter = this.#letters[0]; letter !== undefined; letter = this.#letters[0]) {
      this.#tell({ state: "sending", count: this.#letters.length });
      try {
        await this.#parts.send(letter.lease, letter.answer);
        this.#done(letter);
        this.#parts.onAccepted(letter);
        this.onDelivery({ state: "accepted", letter });
        attempt = 0;
      } catch (caught) {
        const error = caught instanceof ApiError ? caught : new ApiError(0, "Failed", `${caught}`);
        if (error.status === 401) {
          this.#tell({ state: "signed-out", count: this.#letters.length });
          return;
        }
        if (!error.isPassing) {
          this.#done(letter);
          this.onDelivery({ state: "refused", letter, error });
          continue;
        }
        const seconds = backoffSeconds(attempt, this.#parts.random);
        attempt += 1;
        this.#tell({ state: "waiting", count: this.#letters.length, seconds });
        const wait = this.#parts.wait(seconds);
        this.#wake = wait.end;
        await wait.over;
        this.#wake = () => undefined;
      }
    }
    this.#tell({ state: "idle" });
  }

  #done(letter: Letter): void {
    this.#letters = this.#letters.filter((each) => each !== letter);
    this.#write();
  }

  #tell(state: OutboxState): void {
    this.#state = state;
    this.onState(state);
  }

  #read(): Letter[] {
    try {
      const stored: unknown = JSON.parse(this.#parts.storage.getItem(this.#key) ?? "[]");
      return Array.isArray(stored) ? stored.filter(isLetter) : [];
    } catch {
      return [];
    }
  }

  #write(): boolean {
    try {
      if (this.#letters.length === 0) this.#parts.storage.removeItem(this.#key);
      else this.#parts.storage.setItem(this.#key, JSON.stringify(this.#letters));
      return true;
    } catch {
      return false;
    }
  }
}

function isLetter(value: unknown): value is Letter {
  if (typeof value !== "object" || value === null) return false;
  const { lease, job, objectId, answer } = value as Partial<Letter>;
  return (
    typeof lease === "string" &&
    typeof job === "string" &&
    typeof objectId === "number" &&
    typeof answer === "object"
  );
}

function waitInBrowser(seconds: number): { over: Promise<void>; end: () => void } {
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    end = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return { over, end };
}
