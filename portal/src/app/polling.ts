import { backoffSeconds } from "./time";

/**
 * Asks again and again, less often the longer nothing comes, and not at all while nobody looks at
 * the page; at once when somebody does again or the network is back.
 */
export class Polling {
  readonly #ask: () => Promise<boolean>;
  readonly #bounds: { first: number; longest: number };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #isAsking = false;
  #isOver = true;

  /** `ask` tells whether something changed, after which the waits begin short again. */
  constructor(ask: () => Promise<boolean>, bounds: { first: number; longest: number }) {
    this.#ask = ask;
    this.#bounds = bounds;
  }

  start(): void {
    if (!this.#isOver) return;
    this.#isOver = false;
    this.#attempt = 0;
    document.addEventListener("visibilitychange", this.#onChange);
    window.addEventListener("online", this.#onChange);
    this.#plan();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#onChange);
    window.removeEventListener("online", this.#onChange);
  }

  async now(): Promise<void> {
    if (this.#isOver || this.#isAsking) return;
    clearTimeout(this.#timer);
    this.#isAsking = true;
    try {
      this.#attempt = (await this.#ask()) ? 0 : this.#attempt + 1;
    } finally {
      this.#isAsking = false;
    }
    this.#plan();
  }

  #plan(): void {
    if (this.#isOver || document.hidden) return;
    clearTimeout(this.#timer);
    const seconds = backoffSeconds(this.#attempt, Math.random, this.#bounds);
    this.#timer = setTimeout(() => void this.now(), seconds * 1000);
  }

  readonly #onChange = (): void => {
    if (document.hidden) clearTimeout(this.#timer);
    else void this.now();
  };
}
