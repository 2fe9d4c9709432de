import { sheet } from "./theme";
import { ToggleElement } from "./toggle-element";

const STYLE = sheet(`
.mark { position: relative; width: 38px; height: 22px; border-radius: 11px; }
.mark::after {
  content: ""; position: absolute; left: 3px; width: 14px; height: 14px; border-radius: 50%;
  background: var(--gw-line-strong);
}
:host([checked]) .mark::after { left: auto; right: 3px; background: var(--gw-on-accent); }
:host([invalid]:not([checked])) .mark { border-color: var(--gw-danger); }
:host([invalid]:not([checked])) .mark::after { background: var(--gw-danger); }
`);

/** A switch between on and off. */
export class CrowdToggleButton extends ToggleElement {
  static override readonly sheets = [STYLE];
  protected override readonly ariaRole = "switch";
  protected override readonly mark = "";
}
