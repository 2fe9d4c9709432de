/** Which key does what, as a pure function; the tool carries it out. */

export type Side = "all" | "end" | "start";

export type KeyAction =
  | { readonly type: "arrow"; readonly dx: number; readonly dy: number; readonly side: Side }
  | { readonly type: "label"; readonly position: number }
  | { readonly type: "label-visibility"; readonly position: number }
  | { readonly type: Command };

export type Command =
  | "draw"
  | "pan"
  | "confirm"
  | "cancel"
  | "next"
  | "previous"
  | "delete"
  | "duplicate"
  | "undo"
  | "redo"
  | "zoom-in"
  | "zoom-out"
  | "fit"
  | "actual-size"
  | "brightness"
  | "contrast"
  | "hide"
  | "search"
  | "nothing";

export interface Key {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

export const FAR_PIXELS = 10;
export const FARTHEST_PIXELS = 100;

/** Letters of the original's portal where it has one. */
const LETTERS: Readonly<Record<string, Command>> = {
  b: "draw",
  m: "pan",
  d: "brightness",
  c: "contrast",
  z: "zoom-in",
  o: "zoom-out",
  f: "fit",
  a: "actual-size",
  n: "next",
  p: "previous",
  h: "hide",
  l: "search",
  e: "nothing",
};

const NAMED: Readonly<Record<string, Command>> = {
  Enter: "confirm",
  Escape: "cancel",
  Delete: "delete",
  Backspace: "delete",
  "+": "zoom-in",
  "=": "zoom-in",
  "-": "zoom-out",
  "/": "search",
};

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * Return what a key asks for, or undefined.
 *
 * @param key a keydown event
 * @param aiming whether the arrow keys move the crosshair: then Ctrl and Alt make long steps, since
 *   there is no side of a box to tell apart
 */
export function keyAction(key: Key, aiming: boolean): KeyAction | undefined {
  const command = key.ctrlKey || key.metaKey;
  const arrow = ARROWS[key.key];
  if (arrow) return arrowAction(key, arrow, aiming, command);
  const letter = letterOf(key);
  if (command) {
    if (key.altKey) return undefined;
    if (letter === "z") return { type: key.shiftKey ? "redo" : "undo" };
    if (letter === "y") return { type: "redo" };
    if (letter === "d") return { type: "duplicate" };
    return undefined;
  }
  if (key.altKey) return undefined;
  const digit = /^Digit(\d)$/.exec(key.code)?.[1] ?? /^Numpad(\d)$/.exec(key.code)?.[1];
  if (digit !== undefined) {
    const position = (Number(digit) + 9) % 10;
    return { type: key.shiftKey ? "label-visibility" : "label", position };
  }
  const named = NAMED[key.key];
  if (named) return { type: named };
  const known = letter !== undefined && !key.shiftKey ? LETTERS[letter] : undefined;
  return known && { type: known };
}

function arrowAction(
  key: Key,
  [x, y]: readonly [number, number],
  aiming: boolean,
  command: boolean,
): KeyAction {
  const far = key.shiftKey ? FAR_PIXELS : 1;
  const step = aiming && (command || key.altKey) ? FARTHEST_PIXELS : far;
  const side = aiming ? "all" : command ? "end" : key.altKey ? "start" : "all";
  return { type: "arrow", dx: x * step, dy: y * step, side };
}

/**
 * The letter of a key by what it types, else by its place: with a Korean layout the b key types ㅠ, or
 * "Process" while a syllable is being composed, and the shortcut is still printed on it.
 */
function letterOf(key: Key): string | undefined {
  if (/^[a-z]$/i.test(key.key)) return key.key.toLowerCase();
  const placed = /^Key([A-Z])$/.exec(key.code)?.[1];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII, whole
  return placed && !/^[\x00-\x7f]$/.test(key.key) ? placed.toLowerCase() : undefined;
}
