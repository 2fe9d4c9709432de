import { describe, expect, it } from "vitest";
import { gather } from "../src/elements/answers";
import { classIndex, type KeyPress } from "../src/elements/class-keys";
import { parseLooseJson, parseStrings } from "../src/elements/loose-json";
import { readOverlay } from "../src/elements/overlay";
import { preferredLocale, setLocale, translator } from "../src/frame/locale";
import { isFrameMessage, isPageMessage, type Json } from "../src/frame/protocol";

describe("attributes in loose JSON", () => {
  const accepted: readonly (readonly [string, Json])[] = [
    ['["Cat", "Dog"]', ["Cat", "Dog"]],
    ["['Cat', 'Dog']", ["Cat", "Dog"]],
    ["{ text: 'None of the above' }", { text: "None of the above" }],
    ['[{ label: "a", left: 1.5, top: -2, },\n ]', [{ label: "a", left: 1.5, top: -2 }]],
    [
      '{labels: [\'it\\\'s\', "a \\"b\\""], /* two */ n: null, t: true}',
      { labels: ["it's", 'a "b"'], n: null, t: true },
    ],
    ["['\\u0041\\x42\\n']", ["AB\n"]],
    ["[+1, .5, 1., 1e3, 0x1f, -3] // numbers", [1, 0.5, 1, 1000, 31, -3]],
    ["{'키': '값', $a_1: 2}", { 키: "값", $a_1: 2 }],
    ["[]", []],
    ["'just text'", "just text"],
  ];
  it.each(accepted)("reads %s", (text, value) => {
    expect(parseLooseJson(text)).toEqual({ value });
  });

  it.each([
    ["", "expected a value at character 1, found the end of the text"],
    ["['a' 'b']", "expected ',' or ']' at character 6, found ''b']'"],
    ["['a", "expected a string that ends at character 2"],
    ["{a 1}", "expected ':' at character 4"],
    ["{: 1}", "expected a key at character 2"],
    ["[1] x", "expected the end at character 5"],
    ["[alert(1)]", "expected a value at character 2, found 'alert(1)]'"],
    ["['\\u12']", "expected hexadecimal digits"],
  ])("tells what is wrong with %s", (text, problem) => {
    const parsed = parseLooseJson(text);
    expect("problem" in parsed && parsed.problem).toContain(problem);
  });

  it("does not run out of stack on deep nesting", () => {
    const parsed = parseLooseJson(`${"['a',".repeat(50_000)}`);
    expect(parsed).toEqual({ problem: "nested deeper than 200 levels" });
  });

  it("takes linear time on long strings and blanks", () => {
    const text = `['${"a".repeat(500_000)}',${" ".repeat(500_000)}]`;
    const started = performance.now();
    parseLooseJson(text);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("keeps a key called __proto__ from changing anything", () => {
    const parsed = parseLooseJson("{'__proto__': {polluted: true}}");
    expect("value" in parsed).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("takes lists of strings only, each once", () => {
    expect(parseStrings("['a', 'b', 'a']")).toEqual({ value: ["a", "b"] });
    expect(parseStrings("{a: 1}")).toEqual({ problem: "expected a list, found an object" });
    expect(parseStrings("['a', 1]")).toEqual({
      problem: "expected strings in the list, found a number",
    });
  });
});

describe("the form's answer", () => {
  it("puts boxes that share a name into one object and leaves undefined out", () => {
    expect(
      gather([
        ["attributes", { blurry: true }],
        ["tag", "a"],
        ["empty", undefined],
        ["attributes", { dim: false }],
        ["tag", "b"],
      ]),
    ).toEqual({ attributes: { blurry: true, dim: false }, tag: "b" });
  });

  it("lets a later list or text replace an object", () => {
    expect(
      gather([
        ["x", { a: true }],
        ["x", ["b"]],
      ]),
    ).toEqual({ x: ["b"] });
  });
});

describe("keys of classes", () => {
  const press = (key: string, code = "", more: Partial<KeyPress> = {}): KeyPress => ({
    key,
    code,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    ...more,
  });

  it.each([
    ["1", 0],
    ["9", 8],
    ["0", 9],
    ["a", 10],
    ["Z", 35],
  ])("%s is class %i", (key, index) => expect(classIndex(press(key))).toBe(index));

  it("reads the key's place under a Korean input method", () => {
    expect(classIndex(press("ㅁ", "KeyA"))).toBe(10);
  });

  it("leaves combinations, named keys and signs alone", () => {
    expect(classIndex(press("a", "KeyA", { ctrlKey: true }))).toBeUndefined();
    expect(classIndex(press("Enter", "Enter"))).toBeUndefined();
    expect(classIndex(press("!", "Digit1"))).toBeUndefined();
  });
});

describe("overlays of earlier answers", () => {
  it("reads boxes with a colour for each label and counts them", () => {
    const overlay = readOverlay({
      boundingBox: {
        labels: ["bird", "cat"],
        value: [
          { height: 284, label: "bird", left: 230, top: 974, width: 223 },
          { height: "69", label: "bird", left: "79", top: "889", width: "247" },
          { label: "bird" },
        ],
      },
    });

    expect(overlay).toMatchObject({
      kind: "boxes",
      boxes: [
        { left: 230, top: 974, width: 223, height: 284, label: "bird" },
        { left: 79, top: 889, width: 247, height: 69, label: "bird" },
      ],
      legend: [
        { label: "bird", count: 2 },
        { label: "cat", count: 0 },
      ],
    });
  });

  it("reads masks with their labels' colours", () => {
    expect(
      readOverlay({
        semanticSegmentation: {
          labels: ["Cat"],
          labelMappings: { Cat: { color: "#2ca02c" } },
          src: "/m.png",
        },
      }),
    ).toEqual({
      kind: "mask",
      src: "/m.png",
      legend: [{ label: "Cat", color: "#2ca02c", count: undefined }],
    });
  });

  it("names kinds that it cannot draw, and takes nothing for nothing", () => {
    expect(readOverlay({ cuboid: {} })).toEqual({ kind: "unsupported", name: "cuboid" });
    expect(readOverlay({})).toBeUndefined();
    expect(readOverlay([1])).toBeUndefined();
  });
});

describe("the talk between page and frame", () => {
  it.each([
    { type: "ready", elements: ["crowd-form"], unsupported: [] },
    { type: "loaded" },
    { type: "submit", answer: { a: 1 } },
    { type: "settings", settings: {} },
    { type: "shortcuts", list: [{ keys: "1", does: "Choose" }] },
    { type: "image-error", src: "/a", message: "network" },
  ])("knows what frames say: $type", (message) => expect(isFrameMessage(message)).toBe(true));

  it.each([
    null,
    "submit",
    { type: "steal" },
    { type: "submit" },
    { type: "submit", answer: [] },
    { type: "ready", elements: [1], unsupported: [] },
    { type: "shortcuts", list: [{ keys: 1 }] },
  ])("refuses what no frame says: %j", (message) => expect(isFrameMessage(message)).toBe(false));

  it("knows what pages say", () => {
    const start = { type: "start", draft: null, locale: "ko", visible: true };
    expect(isPageMessage(start)).toBe(true);
    expect(isPageMessage({ ...start, locale: "fr" })).toBe(false);
    expect(isPageMessage({ ...start, draft: [] })).toBe(false);
    expect(isPageMessage({ ...start, settings: 7 })).toBe(false);
    expect(isPageMessage({ type: "submit", answer: {} })).toBe(false);
  });
});

describe("languages", () => {
  it("takes the first language that there are texts in", () => {
    expect(preferredLocale(["fr-FR", "ko-KR", "en"])).toBe("ko");
    expect(preferredLocale(["en-US", "ko"])).toBe("en");
    expect(preferredLocale([])).toBe("en");
  });

  it("fills values in, in the language of now", () => {
    const say = translator({ en: { count: "{n} of {m}" }, ko: { count: "{m}개 중 {n}개" } });
    setLocale("ko");
    expect(say("count", { n: 1, m: 2 })).toBe("2개 중 1개");
    setLocale("en");
    expect(say("count", { n: 1 })).toBe("1 of {m}");
  });
});
