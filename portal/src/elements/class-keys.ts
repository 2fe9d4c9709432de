/** The keys of classes, in the order of the list; what comes after has none. */
export const CLASS_KEYS = "1234567890abcdefghijklmnopqrstuvwxyz";

/** What of a key event decides which class it means. */
export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** Return the index of the class that a key press means, or undefined. */
export function classIndex(press: KeyPress): number | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  const index = CLASS_KEYS.indexOf(letterOf(press));
  return index < 0 ? undefined : index;
}

/** The letter or digit of a key, whatever script the keyboard writes (with a Korean input method, "A" gives "ㅁ"). */
function letterOf({ key, code }: KeyPress): string {
  const lower = key.toLowerCase();
  if (/^[\da-z]$/.test(lower)) return lower;
  // Named keys and other Latin signs mean themselves.
  if (key.length !== 1 || key.charCodeAt(0) < 128) return "none";
  return /^(?:Key|Digit|Numpad)([\dA-Z])$/.exec(code)?.[1]?.toLowerCase() ?? "none";
}
