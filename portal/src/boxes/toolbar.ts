import { h } from "../elements/dom";
import { type IconName, icon } from "./icons";
import type { Command } from "./keyboard";
import { Roving } from "./roving";
import { type TextKey, text } from "./texts";

interface Tool {
  readonly command: Command;
  readonly icon: IconName;
  readonly text: TextKey;
  readonly keys: string;
  /** As aria-keyshortcuts has it, where that differs. */
  readonly shortcut?: string;
}

const GROUPS: readonly (readonly Tool[])[] = [
  [
    { command: "draw", icon: "draw", text: "draw", keys: "b" },
    { command: "pan", icon: "pan", text: "pan", keys: "m" },
  ],
  [
    { command: "brightness", icon: "brightness", text: "brightness", keys: "d" },
    { command: "contrast", icon: "contrast", text: "contrast", keys: "c" },
  ],
  [
    { command: "zoom-in", icon: "zoomIn", text: "zoomIn", keys: "z" },
    { command: "zoom-out", icon: "zoomOut", text: "zoomOut", keys: "o" },
    { command: "fit", icon: "fit", text: "fit", keys: "f" },
    { command: "actual-size", icon: "actualSize", text: "actualSize", keys: "a" },
  ],
  [
    { command: "undo", icon: "undo", text: "undo", keys: "^Z", shortcut: "Control+Z" },
    { command: "redo", icon: "redo", text: "redo", keys: "^Y", shortcut: "Control+Y" },
    {
      command: "duplicate",
      icon: "duplicate",
      text: "duplicate",
      keys: "^D",
      shortcut: "Control+D",
    },
    { command: "delete", icon: "remove", text: "remove", keys: "Del", shortcut: "Delete" },
  ],
  [{ command: "hide", icon: "eyeOff", text: "hideBoxes", keys: "h" }],
];

const NEUTRAL_PERCENT = 100;

export type Adjustment = "brightness" | "contrast";

export interface ToolbarState {
  readonly pressed: ReadonlySet<Command | "single-keys">;
  readonly disabled: ReadonlySet<Command>;
}

export interface ToolbarActions {
  run(command: Command): void;
  adjust(what: Adjustment, percent: number): void;
  toggleSingleKeys(): void;
  leave(): void;
}

interface Slider {
  readonly box: HTMLElement;
  readonly input: HTMLInputElement;
  readonly output: HTMLOutputElement;
  readonly label: HTMLElement;
  readonly reset: HTMLButtonElement;
}

/** The buttons below the picture, in the order and with the letters of the original. */
export class Toolbar {
  readonly element = h("div", { class: "tools", role: "toolbar" });
  readonly nothing = h("button", { type: "button", class: "button nothing" });
  readonly #buttons = new Map<Command | "single-keys", HTMLButtonElement>();
  readonly #sliders = new Map<Adjustment, Slider>();
  readonly #actions: ToolbarActions;
  readonly #mark = h("span", { class: "mark", "aria-hidden": "true" });
  readonly #nothingText = h("span", {});
  readonly #roving: Roving;

  constructor(actions: ToolbarActions) {
    this.#actions = actions;
    GROUPS.forEach((group, position) => {
      if (position > 0) this.element.append(h("span", { class: "gap" }));
      for (const tool of group) this.element.append(this.#make(tool));
    });
    const keys = h("button", { type: "button", class: "tool-button keys" });
    keys.append(icon("keys"), h("span", { class: "aside-text", "data-text": "a–z" }));
    keys.addEventListener("click", () => actions.toggleSingleKeys());
    this.#buttons.set("single-keys", keys);
    this.element.append(keys);
    this.nothing.append(
      this.#mark,
      this.#nothingText,
      h("kbd", { class: "aside-text", "data-text": "e" }),
    );
    this.nothing.setAttribute("aria-keyshortcuts", "e");
    this.nothing.addEventListener("click", () => actions.run("nothing"));
    this.#roving = new Roving(this.element, ".tool-button", ["ArrowLeft", "ArrowRight"]);
    this.#roving.point();
    this.write();
  }

  /** Write all texts anew in the current language. */
  write(): void {
    this.element.setAttribute("aria-label", text("tools"));
    for (const tool of GROUPS.flat()) {
      const button = this.#buttons.get(tool.command);
      button?.setAttribute("aria-label", text(tool.text));
      if (button) button.title = `${text(tool.text)} (${tool.shortcut ?? tool.keys})`;
    }
    const keys = this.#buttons.get("single-keys");
    keys?.setAttribute("aria-label", text("singleKeys"));
    if (keys) keys.title = text("singleKeys");
    for (const [what, slider] of this.#sliders) {
      slider.label.textContent = text(what);
      slider.input.setAttribute("aria-label", text(what));
      slider.reset.textContent = text("resetPicture");
    }
    this.#nothingText.textContent = text("nothing");
  }

  show(state: ToolbarState): void {
    for (const [command, button] of this.#buttons) {
      if (button.hasAttribute("aria-expanded")) continue;
      if (["draw", "pan", "hide", "single-keys"].includes(command)) {
        button.setAttribute("aria-pressed", String(state.pressed.has(command)));
      }
      const disabled = command !== "single-keys" && state.disabled.has(command);
      // Not the disabled attribute: a button that has the focus must not lose it by being used.
      button.setAttribute("aria-disabled", String(disabled));
    }
    const chosen = state.pressed.has("nothing");
    this.nothing.setAttribute("aria-pressed", String(chosen));
    this.nothing.setAttribute("aria-disabled", String(state.disabled.has("nothing")));
    this.#mark.textContent = chosen ? "✓" : "○";
  }

  /** Open a slider, or close it and give the keys back to the picture. */
  toggleSlider(what: Adjustment): void {
    const slider = this.#sliders.get(what);
    if (!slider) return;
    const open = slider.box.hidden;
    this.closeSliders();
    if (!open) {
      this.#actions.leave();
      return;
    }
    slider.box.hidden = false;
    this.#buttons.get(what)?.setAttribute("aria-expanded", "true");
    slider.input.focus();
  }

  closeSliders(): void {
    for (const [what, { box }] of this.#sliders) {
      box.hidden = true;
      this.#buttons.get(what)?.setAttribute("aria-expanded", "false");
    }
  }

  #make(tool: Tool): HTMLElement {
    const button = h("button", {
      type: "button",
      class: "tool-button",
      "aria-keyshortcuts": tool.shortcut ?? tool.keys,
    });
    button.append(icon(tool.icon), h("span", { class: "aside-text", "data-text": tool.keys }));
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") this.#actions.run(tool.command);
    });
    this.#buttons.set(tool.command, button);
    if (tool.command !== "brightness" && tool.command !== "contrast") return button;
    button.setAttribute("aria-expanded", "false");
    return h("span", { class: "adjust" }, button, this.#makeSlider(tool.command));
  }

  #makeSlider(what: Adjustment): HTMLElement {
    const input = h("input", { type: "range", min: 20, max: 300, step: 5, value: NEUTRAL_PERCENT });
    const output = h("output", {}, `${NEUTRAL_PERCENT}%`);
    const label = h("span", { "aria-hidden": "true" });
    const reset = h("button", { type: "button", class: "link" });
    const box = h("div", { class: "slider", hidden: true }, label, input, output, reset);
    const apply = (percent: number): void => {
      input.value = String(percent);
      output.textContent = `${percent}%`;
      this.#actions.adjust(what, percent);
    };
    input.addEventListener("input", () => apply(Number(input.value)));
    reset.addEventListener("click", () => apply(NEUTRAL_PERCENT));
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" && !(event.key === "Enter" && event.target === input)) return;
      event.preventDefault();
      this.toggleSlider(what);
    });
    this.#sliders.set(what, { box, input, output, label, reset });
    return box;
  }
}
