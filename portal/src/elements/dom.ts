type Child = Node | string | null | undefined | false;

/** Make an element with attributes and children; an attribute that is false or undefined is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/** A close button as in every dialog's corner. */
export function closeButton(label: string): HTMLButtonElement {
  const button = h("button", { type: "button", class: "button quiet square", "aria-label": label });
  button.append(h("span", { "aria-hidden": "true" }, "✕"));
  return button;
}

/** Whether a key pressed there is text being typed, or belongs to the control that has the focus. */
export function isTyping(event: Event): boolean {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) {
    return !["checkbox", "radio", "button", "submit", "reset", "range", "color"].includes(
      target.type,
    );
  }
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    target.isContentEditable
  );
}

/** Whether a dialog is open above `element`'s page, so that the page's own keys must rest. */
export function dialogOpen(): boolean {
  return [...openDialogs].some((dialog) => dialog.open && dialog.isConnected);
}

const openDialogs = new Set<HTMLDialogElement>();

/** Show a dialog over everything, and remember it as long as it is open. */
export function openDialog(dialog: HTMLDialogElement): void {
  if (dialog.open) return;
  dialog.showModal();
  openDialogs.add(dialog);
  dialog.addEventListener("close", () => openDialogs.delete(dialog), { once: true });
}

/** Close the dialog when its backdrop is clicked, as people expect of it. */
export function closeOnBackdrop(dialog: HTMLDialogElement): void {
  dialog.addEventListener("click", (event) => {
    if (event.target !== dialog) return;
    const box = dialog.getBoundingClientRect();
    const inside =
      event.clientX >= box.left &&
      event.clientX <= box.right &&
      event.clientY >= box.top &&
      event.clientY <= box.bottom;
    if (!inside) dialog.close();
  });
}
