export type Child = Node | string | null;
type Properties = Readonly<
  Record<string, string | number | boolean | null | ((event: Event) => void)>
>;

/** Make an element: functions are listeners, other properties are attributes. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A line drawing of 20 by 20 that says nothing by itself. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  back: "M12 4l-6 6 6 6",
  search: "M9 3.5a5.5 5.5 0 110 11 5.5 5.5 0 010-11zM13 13l4 4",
  clock: "M10 3a7 7 0 110 14 7 7 0 010-14zM10 6v4.5l3 2",
  keyboard: "M3 5.5h14v9H3zM6 8.5h.01M10 8.5h.01M14 8.5h.01M6.5 11.7h7",
  close: "M5 5l10 10M15 5L5 15",
  check: "M4 10.5l4 4 8-9",
  cloud: "M6 15a3.5 3.5 0 01-.3-7A5 5 0 0115 9a3 3 0 01-.5 6z",
  warning: "M10 3l7.5 13.5h-15zM10 8v4M10 14.2h.01",
  history: "M4 10a6 6 0 106-6 6 6 0 00-5 2.7M4.5 3.5v3.4h3.4M10 7v3.3l2.2 1.4",
  cup: "M4 7h9v5a4 4 0 01-4 4H8a4 4 0 01-4-4zM13 8h1.5a2 2 0 010 4H13M7 2.5v2M10 2.5v2",
  person: "M10 4a3 3 0 110 6 3 3 0 010-6zM4 17a6 6 0 0112 0",
  lock: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 016 0V9",
  tabs: "M3 6h14v10H3zM3 6l1-2.5h5L10 6",
} as const;

export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly isPrimary?: boolean;
}

/**
 * Ask in a dialog; resolves with the id of the choice, or with "" when it is closed otherwise.
 *
 * With `mustChoose` there is no other way out, for states in which the page cannot go on.
 */
export function ask(options: {
  readonly title: string;
  readonly content: readonly Child[];
  readonly choices: readonly Choice[];
  readonly mustChoose?: boolean;
  readonly signal?: AbortSignal;
}): Promise<string> {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "dialog-title", class: "dialog" });
    const buttons = options.choices.map((choice) =>
      h(
        "button",
        {
          type: "button",
          class: choice.isPrimary ? "button primary" : "button",
          click: () => dialog.close(choice.id),
        },
        choice.label,
      ),
    );
    dialog.append(
      h("h2", { id: "dialog-title" }, options.title),
      ...options.content.filter((child) => child !== null),
      h("div", { class: "dialog-choices" }, ...buttons),
    );
    if (options.mustChoose) dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    options.signal?.addEventListener("abort", () => dialog.close(""));
    document.body.append(dialog);
    dialog.showModal();
    buttons.at(-1)?.focus({ preventScroll: true });
  });
}

/** Whether a key press is meant for a field. */
export function isTyping(event: Event): boolean {
  const target = event.target;
  return (
    target instanceof HTMLElement &&
    target.closest("input, textarea, select, [contenteditable]") !== null
  );
}
