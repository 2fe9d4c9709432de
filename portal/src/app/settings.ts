import type { JsonObject } from "../frame/protocol";
import type { KeyedStorage } from "./drafts";

/** What a worker chose in a job's tasks (panel closed, brightness, ...), kept for the next ones. */
export class FrameSettings {
  readonly #storage: KeyedStorage;
  readonly #key: string;

  constructor(storage: KeyedStorage, worker: string, job: string) {
    this.#storage = storage;
    this.#key = `groundwork.settings.${worker}.${job}`;
  }

  get(): JsonObject {
    try {
      const stored: unknown = JSON.parse(this.#storage.getItem(this.#key) ?? "{}");
      const isObject = typeof stored === "object" && stored !== null && !Array.isArray(stored);
      return isObject ? (stored as JsonObject) : {};
    } catch {
      return {};
    }
  }

  /** Keep them; tells whether they differ from before. */
  set(settings: JsonObject): boolean {
    const content = JSON.stringify(settings);
    if (content === this.#storage.getItem(this.#key)) return false;
    try {
      this.#storage.setItem(this.#key, content);
    } catch {
      // Full: they hold for this task only.
    }
    return true;
  }
}
