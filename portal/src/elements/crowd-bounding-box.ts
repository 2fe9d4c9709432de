import { STYLES } from "../boxes/styles";
import { text as boxText } from "../boxes/texts";
import { BoxTool } from "../boxes/tool";
import { frame } from "../frame/client";
import type { Json, Shortcut } from "../frame/protocol";
import { parseLooseJson, parseStrings } from "./loose-json";
import { text } from "./texts";
import { ToolElement } from "./tool-element";

const SETTING_SINGLE_KEYS = "boxesSingleKeys";

/**
 * `crowd-bounding-box`: boxes with labels on an image.
 *
 * | attribute | is |
 * |---|---|
 * | header | what to do, above the image |
 * | initial-value | boxes to begin with, `[{height, label, left, top, width}]` |
 * | labels | the labels to choose from, a list of strings |
 * | name | the key of the answer |
 * | src | the image's address |
 *
 * Answer: `{boundingBoxes: [{height, label, left, top, width}], inputImageProperties: {height,
 * width}}`, with `initialValueModified` where there was an initial value.
 */
export class CrowdBoundingBox extends ToolElement {
  static readonly observedAttributes: readonly string[] = ["src"];
  static override readonly sheets: readonly CSSStyleSheet[] = [STYLES];

  #tool: BoxTool | undefined;
  #initial: Json | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.#tool) return;
    const labels = this.#parseLabels();
    const initial = this.#parseInitial();
    if (labels === undefined || initial === "broken") return;
    this.#initial = initial;
    this.#tool = new BoxTool(this.parts, {
      labels,
      initial,
      singleKeys: frame().settings[SETTING_SINGLE_KEYS] !== false,
      onChange: () => this.changed(),
      onLoaded: () => frame().send({ type: "loaded" }),
      onFault: (message) =>
        frame().send({ type: "image-error", src: this.getAttribute("src") ?? "", message }),
      onSingleKeys: (on) => frame().remember({ [SETTING_SINGLE_KEYS]: on }),
    });
    void this.#tool.load(this.getAttribute("src") ?? "");
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // A template's script may move the element; only one that is gone for good is taken apart.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#tool?.destroy();
      this.#tool = undefined;
      for (const part of Object.values(this.parts)) part.replaceChildren();
    });
  }

  attributeChangedCallback(_name: string, before: string | null, now: string | null): void {
    if (before !== now) void this.#tool?.load(now ?? "");
  }

  /** The drawn boxes and the view, for scripts and tests. */
  get tool(): BoxTool | undefined {
    return this.#tool;
  }

  override answer(): Json | undefined {
    const answer = this.#tool?.answer;
    if (!answer || this.#initial === undefined) return answer;
    return { ...answer, initialValueModified: this.#tool?.modified ?? false };
  }

  override validate(): readonly string[] {
    const problem = this.#tool ? this.#tool.problem() : boxText("notLoaded");
    return problem === undefined ? [] : [problem];
  }

  override draft(): Json | undefined {
    return this.#tool?.draft();
  }

  override restore(draft: Json): void {
    this.#tool?.restore(draft);
  }

  override reset(): void {
    this.#tool?.reset();
  }

  override shortcuts(): readonly Shortcut[] {
    return this.#tool?.shortcuts() ?? [];
  }

  override localeChanged(): void {
    super.localeChanged();
    this.#tool?.write();
  }

  override settingsArrived(): void {
    super.settingsArrived();
    this.#tool?.setSingleKeys(frame().settings[SETTING_SINGLE_KEYS] !== false);
  }

  override focus(): void {
    this.#tool?.focus();
  }

  #parseLabels(): readonly string[] | undefined {
    const parsed = parseStrings(this.getAttribute("labels") ?? "[]");
    if ("value" in parsed && parsed.value.length > 0) return parsed.value;
    const missing = text(this.hasAttribute("labels") ? "noCategories" : "missing");
    this.templateProblem("labels", "problem" in parsed ? parsed.problem : missing);
    return undefined;
  }

  #parseInitial(): Json | undefined | "broken" {
    const written = this.getAttribute("initial-value");
    if (written === null || written.trim() === "") return undefined;
    const parsed = parseLooseJson(written);
    const problem =
      "problem" in parsed ? parsed.problem : Array.isArray(parsed.value) ? undefined : "[…]";
    if (problem === undefined) return "value" in parsed ? parsed.value : undefined;
    this.templateProblem("initial-value", problem);
    return "broken";
  }
}
