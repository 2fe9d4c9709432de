/**
 * What the page of a task and the sandboxed frame with the worker template say to each other.
 *
 * The frame's origin is opaque, so both sides check `event.source` and never trust the content: the
 * page treats everything from the frame as a customer's, not its own.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type Locale = "en" | "ko";

/** One line of the shortcut list: `keys` as shown ("Ctrl+Z"), and what they do, in the locale. */
export interface Shortcut {
  readonly keys: string;
  readonly does: string;
}

export type FrameMessage =
  /** The elements are defined; `unsupported` are the tags shown as a notice instead of a tool. */
  | { type: "ready"; elements: string[]; unsupported: string[] }
  /** The image of the task is decoded, and the tool can be used. */
  | { type: "loaded" }
  /** The worker submits; answers by element name. */
  | { type: "submit"; answer: JsonObject }
  /** The unfinished work, opaque to the page; sent shortly after each change. */
  | { type: "draft"; draft: JsonObject }
  /** Submitting was refused by validation. */
  | { type: "invalid"; messages: string[] }
  /** A key for the page, pressed while the frame has the focus (see PAGE_KEYS). */
  | { type: "shortcut"; key: string }
  | { type: "shortcuts"; list: Shortcut[] }
  /** Choices that outlive the task (panel closed, brightness); the page gives them back at "start". */
  | { type: "settings"; settings: JsonObject }
  /** A script of the template failed, or the template is not usable. */
  | { type: "error"; message: string }
  | { type: "image-error"; src: string; message: string };

export type PageMessage =
  /** Answers "ready": bring back the draft, speak the language. */
  | {
      type: "start";
      draft: JsonObject | null;
      locale: Locale;
      visible: boolean;
      settings?: JsonObject;
    }
  /** The page's own Submit was pressed: validate and answer with "submit" or "invalid". */
  | { type: "request-submit" }
  /** What became of the last "submit": the frame unlocks itself again on failure. */
  | { type: "submit-accepted" }
  | { type: "submit-failed" }
  | { type: "language"; locale: Locale };

/** Keys that the frame hands to the page, since the focus is usually inside the frame. */
export const PAGE_KEYS: readonly string[] = ["Escape", "?"];

const FRAME_TYPES: ReadonlySet<string> = new Set<FrameMessage["type"]>([
  "ready",
  "loaded",
  "submit",
  "draft",
  "invalid",
  "shortcut",
  "shortcuts",
  "settings",
  "error",
  "image-error",
]);

const PAGE_TYPES: ReadonlySet<string> = new Set<PageMessage["type"]>([
  "start",
  "request-submit",
  "submit-accepted",
  "submit-failed",
  "language",
]);

/** Whether `data` is shaped like a message from a frame, with fields of the right kinds. */
export function isFrameMessage(data: unknown): data is FrameMessage {
  if (!isRecord(data) || typeof data.type !== "string" || !FRAME_TYPES.has(data.type)) return false;
  switch (data.type) {
    case "ready":
      return isStrings(data.elements) && isStrings(data.unsupported);
    case "submit":
      return isRecord(data.answer);
    case "draft":
      return isRecord(data.draft);
    case "invalid":
      return isStrings(data.messages);
    case "shortcut":
      return typeof data.key === "string";
    case "shortcuts":
      return (
        Array.isArray(data.list) &&
        data.list.every(
          (item) =>
            isRecord(item) && typeof item.keys === "string" && typeof item.does === "string",
        )
      );
    case "settings":
      return isRecord(data.settings);
    case "error":
      return typeof data.message === "string";
    case "image-error":
      return typeof data.src === "string" && typeof data.message === "string";
    default:
      return true;
  }
}

/** Whether `data` is shaped like a message from the page of a task. */
export function isPageMessage(data: unknown): data is PageMessage {
  if (!isRecord(data) || typeof data.type !== "string" || !PAGE_TYPES.has(data.type)) return false;
  if (data.type === "language") return isLocale(data.locale);
  if (data.type === "start") {
    return (
      isLocale(data.locale) &&
      (data.draft === null || isRecord(data.draft)) &&
      (data.settings === undefined || isRecord(data.settings))
    );
  }
  return true;
}

function isLocale(value: unknown): value is Locale {
  return value === "en" || value === "ko";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
