import { type BoxDocument, sameWork } from "./document";

/** Repeated small steps of one kind within this time are one step to undo: a held arrow key. */
export const MERGE_MILLISECONDS = 800;

/**
 * Document states with undo and redo, without limit: states share the boxes that did not change, so
 * that a step costs a list of pointers.
 */
export class History {
  #past: BoxDocument[] = [];
  #future: BoxDocument[] = [];
  #present: BoxDocument;
  #merge: { key: string; until: number } | undefined;

  constructor(present: BoxDocument, past: readonly BoxDocument[] = []) {
    this.#present = present;
    this.#past = [...past];
  }

  get present(): BoxDocument {
    return this.#present;
  }

  get past(): readonly BoxDocument[] {
    return this.#past;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /**
   * Go to another state. A change of nothing but the selection is no step to undo.
   *
   * @param next the new state
   * @param now milliseconds of any steady clock
   * @param mergeKey names a kind of small step; those that follow closely on one another become one
   */
  commit(next: BoxDocument, now: number, mergeKey?: string): void {
    if (sameWork(this.#present, next)) {
      if (this.#present.selected !== next.selected) this.#merge = undefined;
      this.#present = next;
      return;
    }
    const merges =
      mergeKey !== undefined && mergeKey === this.#merge?.key && now < this.#merge.until;
    if (!merges) this.#past.push(this.#present);
    this.#merge =
      mergeKey === undefined ? undefined : { key: mergeKey, until: now + MERGE_MILLISECONDS };
    this.#future = [];
    this.#present = next;
  }

  undo(): boolean {
    return this.#step(this.#past, this.#future);
  }

  redo(): boolean {
    return this.#step(this.#future, this.#past);
  }

  #step(from: BoxDocument[], to: BoxDocument[]): boolean {
    const next = from.pop();
    if (!next) return false;
    to.push(this.#present);
    this.#present = next;
    this.#merge = undefined;
    return true;
  }
}
