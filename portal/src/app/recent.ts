import type { JsonObject } from "../frame/protocol";
import type { KeyedStorage } from "./drafts";

/** An answer that was accepted, with what shows it again. */
export interface RecentAnswer {
  readonly lease: string;
  readonly objectId: number;
  readonly submittedAt: number;
  readonly draft: JsonObject | null;
}

const KEPT = 5;

/** The last few accepted answers of a worker to a job, newest first. */
export class RecentAnswers {
  readonly #storage: KeyedStorage;
  readonly #key: string;

  constructor(storage: KeyedStorage, worker: string, job: string) {
    this.#storage = storage;
    this.#key = `groundwork.recent.${worker}.${job}`;
  }

  list(): RecentAnswer[] {
    try {
      const stored: unknown = JSON.parse(this.#storage.getItem(this.#key) ?? "[]");
      return Array.isArray(stored) ? stored.filter(isRecentAnswer) : [];
    } catch {
      return [];
    }
  }

  add(answer: RecentAnswer): void {
    this.#write([answer, ...this.list().filter((each) => each.lease !== answer.lease)]);
  }

  remove(lease: string): void {
    this.#write(this.list().filter((each) => each.lease !== lease));
  }

  #write(answers: readonly RecentAnswer[]): void {
    try {
      this.#storage.setItem(this.#key, JSON.stringify(answers.slice(0, KEPT)));
    } catch {
      // Full: the answers are accepted all the same.
      this.#storage.removeItem(this.#key);
    }
  }
}

function isRecentAnswer(value: unknown): value is RecentAnswer {
  if (typeof value !== "object" || value === null) return false;
  const { lease, objectId, submittedAt } = value as Partial<RecentAnswer>;
  return (
    typeof lease === "string" && typeof objectId === "number" && typeof submittedAt === "number"
  );
}
