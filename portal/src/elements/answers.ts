import type { Json } from "../frame/protocol";

/**
 * Put the elements' answers into the form's: objects under one name become one object (check boxes
 * that share a name), of other answers the last one counts, and undefined is left out.
 */
export function gather(answers: Iterable<readonly [name: string, answer: Json | undefined]>): {
  [name: string]: Json;
} {
  const gathered = new Map<string, Json>();
  for (const [name, answer] of answers) {
    if (answer === undefined) continue;
    const before = gathered.get(name);
    gathered.set(name, isObject(before) && isObject(answer) ? { ...before, ...answer } : answer);
  }
  return Object.fromEntries(gathered);
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
