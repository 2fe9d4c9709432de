import type { JsonObject } from "../frame/protocol";

/** The part of `Storage` that is needed; a browser's may refuse or be full. */
export type KeyedStorage = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

interface StoredDraft {
  readonly savedAt: number;
  readonly draft: JsonObject;
}

const PREFIX = "groundwork.draft.";
const KEPT_MILLISECONDS = 14 * 24 * 3600 * 1000;

/**
 * Unfinished work, kept in the browser by worker, job and object, so that it survives reloads,
 * crashes, signing in again, and comes back when the same object is given out again.
 */
export class Drafts {
  readonly #storage: KeyedStorage;
  readonly #worker: string;
  readonly #now: () => number;

  constructor(storage: KeyedStorage, worker: string, now: () => number = Date.now) {
    this.#storage = storage;
    this.#worker = worker;
    this.#now = now;
  }

  save(job: string, objectId: number, draft: JsonObject): boolean {
    const stored: StoredDraft = { savedAt: this.#now(), draft };
    try {
      this.#storage.setItem(this.#key(job, objectId), JSON.stringify(stored));
      return true;
    } catch {
      // Full, or refused by the browser's settings: drawing goes on without.
      return false;
    }
  }

  find(job: string, objectId: number): JsonObject | null {
    const key = this.#key(job, objectId);
    const stored = read(this.#storage, key);
    if (stored === null) return null;
    return stored.draft;
  }

  remove(job: string, objectId: number): void {
    this.#storage.removeItem(this.#key(job, objectId));
  }

  /** Forget what nobody came back for in two weeks, also other people's at a shared computer. */
  removeOld(): void {
    const oldest = this.#now() - KEPT_MILLISECONDS;
    for (const key of keys(this.#storage)) {
      const stored = read(this.#storage, key);
      if (stored === null || stored.savedAt < oldest) this.#storage.removeItem(key);
    }
  }

  #key(job: string, objectId: number): string {
    return `${PREFIX}${this.#worker}.${job}.${objectId}`;
  }
}

function keys(storage: KeyedStorage): string[] {
  const found: string[] = [];
  for (let index = 0; index < storage.length; index += 1) {
    const key = storage.key(index);
    if (key?.startsWith(PREFIX)) found.push(key);
  }
  return found;
}

function read(storage: KeyedStorage, key: string): StoredDraft | null {
  try {
    const stored: unknown = JSON.parse(storage.getItem(key) ?? "null");
    if (typeof stored !== "object" || stored === null) return null;
    const { savedAt, draft } = stored as Partial<StoredDraft>;
    const fits = typeof savedAt === "number" && typeof draft === "object" && draft !== null;
    return fits ? { savedAt, draft } : null;
  } catch {
    return null;
  }
}
