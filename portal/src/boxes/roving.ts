/**
 * Make a group of controls one stop of the Tab key, with the arrow keys going from one to the next
 * (https://www.w3.org/WAI/ARIA/apg/practices/keyboard-interface/#kbd_roving_tabindex).
 *
 * @param group the element around the controls
 * @param selector which of its descendants take part
 * @param keys the keys that go back and forth
 */
export class Roving {
  readonly #group: HTMLElement;
  readonly #selector: string;

  constructor(group: HTMLElement, selector: string, keys: readonly [back: string, forth: string]) {
    this.#group = group;
    this.#selector = selector;
    group.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const controls = this.#controls();
      const at = controls.indexOf(event.target as HTMLElement);
      if (at < 0) return;
      const step = { [keys[0]]: at - 1, [keys[1]]: at + 1, Home: 0, End: controls.length - 1 };
      const to = step[event.key];
      if (to === undefined) return;
      event.preventDefault();
      controls[(to + controls.length) % controls.length]?.focus();
    });
    group.addEventListener("focusin", (event) => this.point(event.target as HTMLElement));
  }

  /** Make one control the stop; without one, keep the present one, or take the first. */
  point(control?: HTMLElement): void {
    const controls = this.#controls();
    const stop =
      control && controls.includes(control)
        ? control
        : (controls.find((each) => each.tabIndex === 0) ?? controls[0]);
    for (const each of controls) each.tabIndex = each === stop ? 0 : -1;
  }

  #controls(): HTMLElement[] {
    return [...this.#group.querySelectorAll<HTMLElement>(this.#selector)];
  }
}
