import type { Json } from "../frame/protocol";
import { text } from "./texts";

/**
 * Plain HTML fields inside crowd-form, which templates mix with crowd elements.
 *
 * Check boxes and radio buttons answer like crowd-checkbox (`{name: {value: boolean}}`); other
 * fields answer with their text and are left out while empty, like crowd-input. No documentation
 * says how the original answers for them: this is unconfirmed.
 */
export type NativeField = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const BUTTONS = ["submit", "button", "reset", "image"];

/** Whether an element is an HTML field that has an answer. */
export function isField(element: Element): element is NativeField {
  return (
    (element instanceof HTMLInputElement && !BUTTONS.includes(element.type)) ||
    element instanceof HTMLSelectElement ||
    element instanceof HTMLTextAreaElement
  );
}

/** Return a field's answer, or undefined to be left out. */
export function nativeAnswer(field: NativeField): Json | undefined {
  if (isToggle(field)) return { [field.value]: field.checked };
  if (field instanceof HTMLSelectElement && field.multiple) {
    return [...field.selectedOptions].map((option) => option.value);
  }
  if (field instanceof HTMLInputElement && field.type === "file") {
    return field.files?.[0]?.name;
  }
  const value =
    field instanceof HTMLTextAreaElement ? field.value.replace(/\r\n?/g, "\n") : field.value;
  return value === "" ? undefined : value;
}

/** Return why a field keeps the form from being submitted, in the worker's language. */
export function nativeProblem(field: NativeField): readonly string[] {
  if (field.validity.valid) return [];
  const name = fieldLabel(field);
  if (field.validity.valueMissing) return [text("fieldRequired", { field: name })];
  if (field.validity.customError) return [`${name}: ${field.validationMessage}`];
  return [text("fieldInvalid", { field: name })];
}

/** What a worker calls a field: its label, or else its placeholder or name. */
export function fieldLabel(field: NativeField): string {
  const label = field.labels?.[0]?.textContent?.replace(/\s+/g, " ").trim();
  const placeholder = field.getAttribute("placeholder");
  return (
    label || field.getAttribute("aria-label") || placeholder || field.name || text("thisField")
  );
}

/** Return a field's unfinished state. */
export function nativeDraft(field: NativeField): Json {
  if (isToggle(field)) return field.checked;
  if (field instanceof HTMLSelectElement) return [...field.selectedOptions].map((o) => o.value);
  return field instanceof HTMLInputElement && field.type === "file" ? null : field.value;
}

/** Bring back a field's unfinished state. */
export function restoreNative(field: NativeField, draft: Json): void {
  if (isToggle(field)) {
    if (typeof draft === "boolean") field.checked = draft;
  } else if (field instanceof HTMLSelectElement) {
    if (!Array.isArray(draft)) return;
    for (const option of field.options) option.selected = draft.includes(option.value);
  } else if (typeof draft === "string" && field.type !== "file") {
    field.value = draft;
  }
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Put a field back to what the template said. */
export function resetNative(field: NativeField): void {
  if (isToggle(field)) field.checked = field.defaultChecked;
  else if (field instanceof HTMLSelectElement) {
    for (const option of field.options) option.selected = option.defaultSelected;
  } else field.value = field.defaultValue;
}

function isToggle(field: NativeField): field is HTMLInputElement {
  return field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio");
}
