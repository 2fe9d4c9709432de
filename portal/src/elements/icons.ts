/**
 * Icons under the names that templates use (those of the iron-icons set), drawn for this project
 * on a grid of 24 by 24 with lines two wide.
 */
const PATHS: Readonly<Record<string, string>> = {
  add: "M12 5v14M5 12h14",
  "arrow-back": "M20 12H4M11 5l-7 7 7 7",
  "arrow-downward": "M12 4v16M5 13l7 7 7-7",
  "arrow-forward": "M4 12h16M13 5l7 7-7 7",
  "arrow-upward": "M12 20V4M5 11l7-7 7 7",
  bookmark: "M6 4h12v17l-6-5-6 5z",
  cancel: "M12 3a9 9 0 100 18 9 9 0 000-18zM9 9l6 6M15 9l-6 6",
  check: "M4 13l5 5L20 6",
  "check-circle": "M12 3a9 9 0 100 18 9 9 0 000-18zM8 12l3 3 5-6",
  "chevron-left": "M15 5l-7 7 7 7",
  "chevron-right": "M9 5l7 7-7 7",
  close: "M5 5l14 14M19 5L5 19",
  create: "M4 20l1-5L16 4l4 4L9 19zM13 7l4 4",
  delete: "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6",
  "expand-less": "M5 15l7-7 7 7",
  "expand-more": "M5 9l7 7 7-7",
  favorite: "M12 20C2 13 3 5 8 5c2 0 3 1 4 3 1-2 2-3 4-3 5 0 6 8-4 15z",
  flag: "M5 21V4h13l-3 5 3 5H5",
  help: "M12 3a9 9 0 100 18 9 9 0 000-18zM9.5 9.5a2.5 2.5 0 115 0c0 2-2.5 2-2.5 4M12 17v.1",
  home: "M3 12l9-8 9 8M6 10v10h12V10",
  info: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v6M12 7v.1",
  label: "M3 6h12l6 6-6 6H3z",
  lock: "M5 11h14v10H5zM8 11V8a4 4 0 018 0v3",
  menu: "M4 6h16M4 12h16M4 18h16",
  "more-vert": "M12 5v.1M12 12v.1M12 19v.1",
  "open-in-new": "M10 4H4v16h16v-6M14 4h6v6M20 4l-9 9",
  person: "M12 4a4 4 0 100 8 4 4 0 000-8zM4 21c0-9 16-9 16 0",
  "play-arrow": "M7 4l12 8-12 8z",
  print: "M7 9V3h10v6M7 17H4V9h16v8h-3M7 14h10v7H7z",
  "question-answer": "M3 4h13v9H8l-5 4zM20 8v13l-4-3H9v-2",
  redo: "M19 5v6h-6M19 11a8 8 0 10-2 7",
  refresh: "M19 4v6h-6M19 10a8 8 0 10 1 5",
  remove: "M5 12h14",
  save: "M4 4h13l3 3v13H4zM8 4v5h8V4M8 20v-6h8v6",
  search: "M10 4a6 6 0 100 12 6 6 0 000-12zM15 15l6 6",
  send: "M3 4l18 8-18 8 3-8zM6 12h15",
  settings:
    "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v4M12 18v4M2 12h4M18 12h4M5 5l3 3M16 16l3 3M19 5l-3 3M8 16l-3 3",
  star: "M12 3l3 6 6 1-5 4 2 7-6-4-6 4 2-7-5-4 6-1z",
  "thumb-down": "M7 4v10l5 7c3 0 1-6 1-7h7l-2-10zM7 4H3v10h4",
  "thumb-up": "M7 20V10l5-7c3 0 1 6 1 7h7l-2 10zM7 20H3V10h4",
  undo: "M5 5v6h6M5 11a8 8 0 112 7",
  visibility: "M2 12c5-9 15-9 20 0-5 9-15 9-20 0zM12 9a3 3 0 100 6 3 3 0 000-6z",
  "visibility-off": "M2 12c5-9 15-9 20 0-5 9-15 9-20 0zM4 3l16 18",
  warning: "M12 3l10 18H2zM12 10v5M12 18v.1",
  "zoom-in": "M10 4a6 6 0 100 12 6 6 0 000-12zM15 15l6 6M10 7v6M7 10h6",
  "zoom-out": "M10 4a6 6 0 100 12 6 6 0 000-12zM15 15l6 6M7 10h6",
};

const ALIASES: Readonly<Record<string, string>> = {
  "account-circle": "person",
  clear: "close",
  done: "check",
  edit: "create",
  error: "warning",
  "error-outline": "warning",
  feedback: "question-answer",
  "help-outline": "help",
  "info-outline": "info",
  "favorite-border": "favorite",
  "report-problem": "warning",
  report: "warning",
  "star-border": "star",
};

const ADDRESS = /^(?:https?:|data:image\/|blob:|\/)/;

/** Make the picture of an icon's name, or of the address of an image; always without a name of its own. */
export function icon(name: string): Element {
  if (ADDRESS.test(name)) {
    const image = document.createElement("img");
    image.src = name;
    image.alt = "";
    image.className = "icon";
    return image;
  }
  const plain = name.replace(/^(?:icons|iron-icons):/, "");
  const path = PATHS[ALIASES[plain] ?? plain];
  if (path === undefined) {
    // The set has hundreds of names; the first letter of one that is not drawn here is better than a hole.
    const letter = document.createElement("span");
    letter.className = "icon letter";
    letter.setAttribute("aria-hidden", "true");
    letter.textContent = plain.charAt(0).toUpperCase();
    return letter;
  }
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** How icons look inside an adopting shadow root. */
export const ICON_CSS = `
.icon { flex: none; width: 1.25em; height: 1.25em; }
svg.icon { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.icon.letter { display: inline-grid; place-items: center; font-weight: 700; }
`;
