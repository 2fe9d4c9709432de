import { text } from "./texts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds as a clock shows them: "0:18", "1:02:03". */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const rest = String(whole % MINUTE).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** A limit in words: "5 min", "1 h 30 min", "45 s". */
export function durationText(seconds: number): string {
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(seconds));
  for (const [unit, key] of [
    [DAY, "days"],
    [HOUR, "hours"],
    [MINUTE, "minutes"],
    [1, "seconds"],
  ] as const) {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    if (count > 0) parts.push(text(key, { count }));
  }
  return parts.slice(0, 2).join(" ") || text("seconds", { count: 0 });
}

/** How a task stands against its limit. */
export interface TaskTime {
  readonly elapsedSeconds: number;
  readonly leftSeconds: number;
  readonly state: "running" | "soon" | "over";
}

/**
 * Compare a task's times with the server's clock.
 *
 * The warning comes at a fifth of the limit, but never earlier than two minutes before the end.
 */
export function taskTime(acceptedAt: number, expiresAt: number, now: number): TaskTime {
  const elapsedSeconds = Math.max(0, (now - acceptedAt) / 1000);
  const leftSeconds = Math.max(0, (expiresAt - now) / 1000);
  const warnSeconds = Math.min(2 * MINUTE, (expiresAt - acceptedAt) / 1000 / 5);
  const state = leftSeconds <= 0 ? "over" : leftSeconds <= warnSeconds ? "soon" : "running";
  return { elapsedSeconds, leftSeconds, state };
}

/**
 * Wait longer the more often nothing came: doubled each time up to a longest wait, spread by a
 * quarter so that a whole room of browsers does not ask at once.
 */
export function backoffSeconds(
  attempt: number,
  random: () => number,
  { first = 1, longest = 30 }: { first?: number; longest?: number } = {},
): number {
  const wait = Math.min(longest, first * 2 ** Math.min(attempt, 20));
  return wait * (0.75 + random() * 0.5);
}
