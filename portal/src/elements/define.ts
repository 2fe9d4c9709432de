import { frame } from "../frame/client";
import { locale, onLocaleChange } from "../frame/locale";
import { CrowdAlert } from "./crowd-alert";
import { CrowdBadge } from "./crowd-badge";
import { CrowdBoundingBox } from "./crowd-bounding-box";
import { CrowdButton } from "./crowd-button";
import { CrowdCard } from "./crowd-card";
import { CrowdCheckbox } from "./crowd-checkbox";
import { CrowdClassifier } from "./crowd-classifier";
import { CrowdClassifierMultiSelect } from "./crowd-classifier-multi-select";
import { CrowdFab } from "./crowd-fab";
import { CrowdForm } from "./crowd-form";
import { CrowdIconButton } from "./crowd-icon-button";
import { CrowdImageClassifier } from "./crowd-image-classifier";
import { CrowdImageClassifierMultiSelect } from "./crowd-image-classifier-multi-select";
import { CrowdInput } from "./crowd-input";
import { CrowdInstructions } from "./crowd-instructions";
import { CrowdModal } from "./crowd-modal";
import { CrowdRadioButton } from "./crowd-radio-button";
import { CrowdRadioGroup } from "./crowd-radio-group";
import { CrowdSlider } from "./crowd-slider";
import { CrowdTab, CrowdTabs } from "./crowd-tabs";
import { CrowdTextArea } from "./crowd-text-area";
import { CrowdToast } from "./crowd-toast";
import { CrowdToggleButton } from "./crowd-toggle-button";
import { IronIcon } from "./iron-icon";
import { allowsDark, DOCUMENT } from "./theme";
import { ToolElement } from "./tool-element";
import { UnsupportedElement } from "./unsupported-element";

/** Every element with a class of its own: groups before their buttons, the form after all it holds. */
export const ELEMENTS: Readonly<Record<string, CustomElementConstructor>> = {
  "crowd-alert": CrowdAlert,
  "crowd-badge": CrowdBadge,
  "crowd-bounding-box": CrowdBoundingBox,
  "crowd-button": CrowdButton,
  "crowd-card": CrowdCard,
  "crowd-checkbox": CrowdCheckbox,
  "crowd-classifier": CrowdClassifier,
  "crowd-classifier-multi-select": CrowdClassifierMultiSelect,
  "crowd-fab": CrowdFab,
  "crowd-icon-button": CrowdIconButton,
  "crowd-image-classifier": CrowdImageClassifier,
  "crowd-image-classifier-multi-select": CrowdImageClassifierMultiSelect,
  "crowd-input": CrowdInput,
  "crowd-instructions": CrowdInstructions,
  "crowd-modal": CrowdModal,
  "crowd-radio-group": CrowdRadioGroup,
  "crowd-radio-button": CrowdRadioButton,
  "crowd-slider": CrowdSlider,
  "crowd-tab": CrowdTab,
  "crowd-tabs": CrowdTabs,
  "crowd-text-area": CrowdTextArea,
  "crowd-toast": CrowdToast,
  "crowd-toggle-button": CrowdToggleButton,
  "iron-icon": IronIcon,
  "crowd-form": CrowdForm,
};

/** Documented elements that there is no tool for yet. */
export const UNSUPPORTED = [
  "crowd-entity-annotation",
  "crowd-instance-segmentation",
  "crowd-keypoint",
  "crowd-line",
  "crowd-polygon",
  "crowd-polyline",
  "crowd-rekognition-detect-moderation-labels",
  "crowd-semantic-segmentation",
  "crowd-textract-analyze-document",
] as const;

/** Define the elements and tell the template's scripts and the page, once the document is parsed. */
export function start(): void {
  frame();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, DOCUMENT];
  reportErrors();
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", () => run(), { once: true });
  } else run();
}

function run(): void {
  document.documentElement.toggleAttribute("data-gw-dark", allowsDark(document));
  nameLanguage(document.documentElement);
  const unsupported = unsupportedTags();
  for (const tag of new Set([...UNSUPPORTED, ...unsupported])) {
    define(tag, class extends UnsupportedElement {});
  }
  for (const [tag, element] of Object.entries(ELEMENTS)) define(tag, element);
  const used = Object.keys(ELEMENTS).filter((tag) => document.querySelector(tag) !== null);
  document.dispatchEvent(new CustomEvent("all-crowd-elements-ready", { bubbles: true }));
  frame().send({ type: "ready", elements: used, unsupported });
  const waits = [...document.querySelectorAll("*")].some((it) => it instanceof ToolElement);
  if (!waits) frame().send({ type: "loaded" });
}

/** Name the page's language for screen readers, unless the author did. */
function nameLanguage(root: HTMLElement): void {
  if (root.lang !== "") return;
  root.lang = locale();
  onLocaleChange(() => {
    root.lang = locale();
  });
}

function define(tag: string, element: CustomElementConstructor): void {
  if (customElements.get(tag) === undefined) customElements.define(tag, element);
}

/** The crowd elements of this template that have no class, known by documentation or not. */
function unsupportedTags(): string[] {
  const tags = [...document.querySelectorAll("*")].map((element) => element.localName);
  return [...new Set(tags)].filter(
    (tag) =>
      /^crowd-[a-z0-9-]+$/.test(tag) &&
      !Object.hasOwn(ELEMENTS, tag) &&
      customElements.get(tag) === undefined,
  );
}

/** Tell the page of scripts that fail, so that a broken template does not look like a broken portal. */
function reportErrors(): void {
  addEventListener("error", (event) => {
    if (event.message) frame().send({ type: "error", message: event.message });
  });
  addEventListener("unhandledrejection", (event) => {
    frame().send({ type: "error", message: String(event.reason) });
  });
}
