import type { Locale } from "./protocol";

type Table = Readonly<Record<string, string>>;
/** The texts of one package: Korean must have every key of English, and only those. */
export type Texts<T extends Table> = {
  readonly en: T;
  readonly ko: Readonly<Record<keyof T, string>>;
};

let current: Locale = preferredLocale(
  typeof navigator === "undefined" ? ["en"] : (navigator.languages ?? [navigator.language]),
);
const listeners = new Set<() => void>();

/** The first of the languages that there are texts in, or English. */
export function preferredLocale(languages: readonly string[]): Locale {
  for (const language of languages) {
    const primary = language.toLowerCase().split("-")[0];
    if (primary === "en" || primary === "ko") return primary;
  }
  return "en";
}

/** The language that the worker reads now. */
export function locale(): Locale {
  return current;
}

/** Change the language and have every shown text written anew. */
export function setLocale(next: Locale): void {
  if (next === current) return;
  current = next;
  for (const listener of listeners) listener();
}

/** Call `listener` after each change of the language; returns how to stop. */
export function onLocaleChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Make the function that gives a table's text in the current language, with `{name}` filled in. */
export function translator<T extends Table>(
  texts: Texts<T>,
): (key: keyof T, values?: Readonly<Record<string, string | number>>) => string {
  return (key, values = {}) =>
    texts[current][key]?.replace(/\{(\w+)\}/g, (whole, name: string) =>
      String(values[name] ?? whole),
    ) ?? String(key);
}
