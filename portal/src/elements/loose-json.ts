import type { Json } from "../frame/protocol";

/** A value, or why there is none: templates are written by hand, and a mistake must be told. */
export type Parsed = { readonly value: Json } | { readonly problem: string };

/**
 * Read JSON as the documentation's own examples write it in attributes: with single quotes, bare
 * keys, trailing commas and comments (https://docs.aws.amazon.com/sagemaker/latest/dg/sms-ui-template-reference.html).
 */
export function parseLooseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) as Json };
  } catch {
    // Not strict JSON: read it the tolerant way, which is slower and has better messages.
  }
  try {
    return { value: new Reader(text).read() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Read an attribute that lists strings; anything else in it becomes a problem. */
export function parseStrings(text: string): { value: string[] } | { problem: string } {
  const parsed = parseLooseJson(text);
  if ("problem" in parsed) return parsed;
  if (!Array.isArray(parsed.value))
    return { problem: `expected a list, found ${kind(parsed.value)}` };
  const wrong = parsed.value.find((item) => typeof item !== "string");
  if (wrong !== undefined) return { problem: `expected strings in the list, found ${kind(wrong)}` };
  return { value: [...new Set(parsed.value as string[])] };
}

function kind(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value)
    ? "a list"
    : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "0": "\0",
};
const SPACE = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const NUMBER = /[+-]?(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
const WORD = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const DEEPEST = 200;

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Json {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("the end");
    return value;
  }

  #value(depth: number): Json {
    if (depth > DEEPEST) throw new Error(`nested deeper than ${DEEPEST} levels`);
    this.#skip();
    const character = this.#text[this.#at];
    if (character === "{") return this.#object(depth);
    if (character === "[") return this.#list(depth);
    if (character === '"' || character === "'") return this.#string();
    const number = this.#match(NUMBER);
    if (number !== undefined) {
      return /^[+-]/.test(number) && number[0] === "-" ? -Number(number.slice(1)) : Number(number);
    }
    const at = this.#at;
    const word = this.#match(WORD);
    if (word === "true") return true;
    if (word === "false") return false;
    if (word === "null") return null;
    this.#at = at;
    return this.#fail("a value");
  }

  #object(depth: number): Json {
    const result: { [key: string]: Json } = Object.create(null);
    this.#at += 1;
    while (!this.#take("}")) {
      const key = this.#key();
      if (!this.#take(":")) this.#fail("':'");
      result[key] = this.#value(depth + 1);
      if (!this.#take(",") && !this.#sees("}")) this.#fail("',' or '}'");
    }
    return { ...result };
  }

  #list(depth: number): Json {
    const result: Json[] = [];
    this.#at += 1;
    while (!this.#take("]")) {
      result.push(this.#value(depth + 1));
      if (!this.#take(",") && !this.#sees("]")) this.#fail("',' or ']'");
    }
    return result;
  }

  #key(): string {
    this.#skip();
    const character = this.#text[this.#at];
    if (character === '"' || character === "'") return this.#string();
    return this.#match(WORD) ?? this.#match(NUMBER) ?? this.#fail("a key");
  }

  #string(): string {
    const quote = this.#text[this.#at];
    const start = this.#at;
    let result = "";
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at] as string;
      if (character === quote) {
        this.#at += 1;
        return result;
      }
      result += character === "\\" ? this.#escape() : character;
    }
    this.#at = start;
    return this.#fail("a string that ends");
  }

  #escape(): string {
    this.#at += 1;
    const character = this.#text[this.#at] ?? "";
    if (character === "\n") return "";
    if (character === "u" || character === "x") {
      const length = character === "u" ? 4 : 2;
      const digits = this.#text.slice(this.#at + 1, this.#at + 1 + length);
      if (!/^[\da-fA-F]+$/.test(digits) || digits.length < length) this.#fail("hexadecimal digits");
      this.#at += length;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    return ESCAPES[character] ?? character;
  }

  #skip(): void {
    this.#match(SPACE);
  }

  #sees(character: string): boolean {
    this.#skip();
    return this.#text[this.#at] === character;
  }

  #take(character: string): boolean {
    if (!this.#sees(character)) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    const seen = this.#text.slice(this.#at, this.#at + 12);
    const found = seen === "" ? "the end of the text" : `'${seen}'`;
    throw new Error(`expected ${expected} at character ${this.#at + 1}, found ${found}`);
  }
}
