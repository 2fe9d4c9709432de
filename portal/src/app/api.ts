import type { JsonObject } from "../frame/protocol";

export interface Me {
  readonly workerId: string;
  readonly email: string;
  readonly teams: readonly { readonly name: string; readonly arn: string }[];
}

export interface Job {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly createdAt: string;
  readonly tasksLeft: number;
  readonly customer: string;
  readonly taskTimeLimitSeconds: number;
}

export interface Task {
  readonly lease: string;
  readonly job: string;
  readonly title: string;
  readonly description: string;
  readonly objectId: number;
  /** Taken ahead of its time, which begins with `start`. */
  readonly ahead: boolean;
  /** The worker's answer is in, and may still be changed. */
  readonly answered: boolean;
  readonly acceptedAt: string;
  readonly expiresAt: string;
  readonly timeLimitSeconds: number;
  readonly contentProblems?: readonly string[];
}

export interface Answer {
  readonly answerContent: JsonObject;
  readonly timeSpentInSeconds: number;
  readonly replaces?: boolean;
}

/** A call that was refused, or that never got through (status 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }

  /** Whether the same call may work later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const NETWORK = "Network";
const TIMEOUT_MILLISECONDS = 30_000;

/** The worker API, as `groundwork/portal/worker_api.py` answers it. */
export class Api {
  /** Milliseconds that the server's clock is ahead of this one. */
  clockAhead = 0;
  readonly #fetch: typeof fetch;

  constructor(send: typeof fetch = (...call) => fetch(...call)) {
    this.#fetch = send;
  }

  /** The server's time, within a second. */
  now(): number {
    return Date.now() + this.clockAhead;
  }

  async me(): Promise<Me> {
    return (await this.#call("GET", "/api/me")) as Me;
  }

  async jobs(): Promise<Job[]> {
    return ((await this.#call("GET", "/api/jobs")) as { jobs: Job[] }).jobs;
  }

  async held(job: string): Promise<Task[]> {
    const path = `/api/jobs/${encodeURIComponent(job)}/tasks`;
    return ((await this.#call("GET", path)) as { tasks: Task[] }).tasks;
  }

  async take(
    job: string,
    wishes: { besides?: readonly string[]; again?: string } = {},
  ): Promise<Task | null> {
    const path = `/api/jobs/${encodeURIComponent(job)}/tasks`;
    return (await this.#call("POST", path, wishes)) as Task | null;
  }

  async resume(lease: string): Promise<Task> {
    return (await this.#call("GET", this.#path(lease))) as Task;
  }

  async start(lease: string): Promise<Task> {
    return (await this.#call("POST", this.#path(lease, "/start"), {})) as Task;
  }

  async answer(lease: string, answer: Answer): Promise<void> {
    await this.#call("POST", this.#path(lease, "/answer"), answer);
  }

  async release(lease: string): Promise<void> {
    await this.#call("POST", this.#path(lease, "/release"), {});
  }

  async decline(lease: string): Promise<void> {
    await this.#call("POST", this.#path(lease, "/decline"), {});
  }

  /** Give a task back while the page goes away, without waiting for an answer. */
  releaseOnLeaving(lease: string): void {
    // sendBeacon has no headers of its own, which the API asks for.
    void this.#fetch(this.#path(lease, "/release"), { ...change({}), keepalive: true }).catch(
      () => undefined,
    );
  }

  #path(lease: string, verb = ""): string {
    return `/api/tasks/${encodeURIComponent(lease)}${verb}`;
  }

  async #call(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> {
    const request: RequestInit = method === "GET" ? {} : change(body);
    let response: Response;
    let content: string;
    try {
      response = await this.#fetch(path, {
        ...request,
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
      content = await response.text();
    } catch (error) {
      throw new ApiError(0, NETWORK, String(error));
    }
    this.#readClock(response);
    if (response.ok) return content === "" ? null : parsed(content, response.status);
    throw refusal(response.status, content);
  }

  #readClock(response: Response): void {
    const date = Date.parse(response.headers.get("date") ?? "");
    if (Number.isNaN(date)) return;
    // The header has whole seconds: half of one is the better guess.
    const ahead = date + 500 - Date.now();
    this.clockAhead = Math.abs(ahead) <= 1000 ? 0 : ahead;
  }
}

function change(body: unknown): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", "x-groundwork-request": "1" },
    body: JSON.stringify(body),
  };
}

function parsed(content: string, status: number): unknown {
  try {
    return JSON.parse(content) as unknown;
  } catch {
    // A proxy or a Wi-Fi's own sign-in page answered.
    throw new ApiError(0, NETWORK, `the answer is not the portal's (status ${status})`);
  }
}

function refusal(status: number, content: string): ApiError {
  try {
    const { error } = JSON.parse(content) as { error: { code: string; message: string } };
    return new ApiError(status, error.code, error.message);
  } catch {
    return new ApiError(status, "Unknown", `status ${status}`);
  }
}
