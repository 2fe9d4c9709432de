/**
 * Colours, type and controls that all elements share.
 *
 * Authors' own pages are mostly written for a white page, so dark colours come only where the
 * template sets none of its own (see `allowsDark`).
 */

/** Make a style sheet that shadow roots adopt. Constructed sheets need no allowance in a content policy. */
export function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

/** The custom properties, usable in every adopting shadow root. */
export const THEME = sheet(`
:host {
  --gw-page: light-dark(#ffffff, #14171c);
  --gw-surface: light-dark(#f5f6f8, #1c2027);
  --gw-raised: light-dark(#ffffff, #252a33);
  --gw-stage: light-dark(#e4e7ec, #0c0e12);
  --gw-text: light-dark(#1a1f27, #e8ebf0);
  --gw-quiet: light-dark(#545e6e, #a5afbf);
  --gw-line: light-dark(#d3d8e0, #39404d);
  --gw-line-strong: light-dark(#7d8797, #7f8a9c);
  --gw-accent: light-dark(#0a5cc2, #7db3ff);
  --gw-accent-hover: light-dark(#084a9e, #a3caff);
  --gw-on-accent: light-dark(#ffffff, #0b1a30);
  --gw-accent-soft: light-dark(#e7f0fc, #1d3352);
  --gw-danger: light-dark(#b3261e, #ff9d94);
  --gw-danger-soft: light-dark(#fdeceb, #421c1a);
  --gw-good: light-dark(#17693a, #7fd8a0);
  --gw-good-soft: light-dark(#e6f5ec, #17351f);
  --gw-warn: light-dark(#7a4a00, #f3c56b);
  --gw-warn-soft: light-dark(#fff4dc, #3b2d0f);
  --gw-focus: light-dark(#0a5cc2, #9cc7ff);
  --gw-radius: 6px;
  --gw-font: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans KR", "Apple SD Gothic Neo",
    "Malgun Gothic", sans-serif;
  --gw-shadow: 0 1px 2px rgb(0 0 0 / 8%), 0 8px 24px rgb(0 0 0 / 16%);
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
`);

/** Buttons, fields and dialogs of the elements' own chrome. */
export const CONTROLS = sheet(`
button, input, textarea, select { font: inherit; color: inherit; }
.button {
  display: inline-flex; align-items: center; justify-content: center; gap: 0.5em;
  min-height: 34px; padding: 5px 14px; border: 1px solid var(--gw-line-strong);
  border-radius: var(--gw-radius); background: var(--gw-raised); color: var(--gw-text);
  font: 500 14px/1.4 var(--gw-font); text-decoration: none; cursor: pointer; white-space: nowrap;
}
.button:hover { background: var(--gw-surface); border-color: var(--gw-text); }
.button.primary {
  background: var(--gw-accent); border-color: var(--gw-accent); color: var(--gw-on-accent);
}
.button.primary:hover { background: var(--gw-accent-hover); border-color: var(--gw-accent-hover); }
.button.quiet { border-color: transparent; background: transparent; color: var(--gw-accent); }
.button.quiet:hover { background: var(--gw-accent-soft); }
.button.square { min-width: 34px; padding: 5px; }
.button:disabled, .button[aria-disabled="true"] { opacity: 0.55; cursor: default; }
.link {
  display: inline; min-height: 24px; padding: 2px 0; border: 0; background: none;
  color: var(--gw-accent); font: inherit; text-decoration: underline;
  text-underline-offset: 2px; cursor: pointer;
}
:focus { outline: none; }
:focus-visible { outline: 2px solid var(--gw-focus); outline-offset: 2px; }
kbd {
  display: inline-grid; place-items: center; min-width: 22px; height: 22px; padding: 0 5px;
  border: 1px solid var(--gw-line-strong); border-radius: 4px; background: var(--gw-raised);
  color: var(--gw-quiet); font: 500 12px/1 var(--gw-font);
}
.field {
  width: 100%; min-height: 36px; padding: 6px 10px; border: 1px solid var(--gw-line-strong);
  border-radius: var(--gw-radius); background: var(--gw-page); color: var(--gw-text);
  font: 15px/1.4 var(--gw-font);
}
.field::placeholder { color: var(--gw-quiet); opacity: 1; }
.field:focus-visible { outline-offset: -1px; border-color: var(--gw-focus); }
.field[aria-invalid="true"] { border-color: var(--gw-danger); }
.field:disabled { background: var(--gw-surface); color: var(--gw-quiet); }
dialog {
  width: min(720px, calc(100vw - 32px)); max-height: calc(100dvh - 48px); padding: 0; border: 0;
  border-radius: 10px; background: var(--gw-raised); color: var(--gw-text);
  box-shadow: var(--gw-shadow); font: 15px/1.55 var(--gw-font); overflow: auto;
}
dialog::backdrop { background: rgb(10 14 20 / 55%); }
.dialog-head {
  position: sticky; top: 0; display: flex; align-items: center; justify-content: space-between;
  gap: 16px; padding: 12px 12px 12px 20px; border-bottom: 1px solid var(--gw-line);
  background: var(--gw-raised);
}
.dialog-head h2 { margin: 0; font-size: 17px; line-height: 1.3; }
.dialog-body { padding: 16px 20px 20px; overflow-wrap: anywhere; }
.dialog-foot {
  display: flex; justify-content: flex-end; gap: 8px; padding: 12px 20px;
  border-top: 1px solid var(--gw-line);
}
.visually-hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
::slotted(img), ::slotted(video) { max-width: 100%; height: auto; }
@media (prefers-reduced-motion: no-preference) {
  .button, .field { transition: background-color 80ms, border-color 80ms; }
}
`);

/** What the document itself gets; in a layer, so that every rule of the author's wins. */
export const DOCUMENT = sheet(`
@layer groundwork {
  body {
    margin: 0; font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans KR",
      "Apple SD Gothic Neo", "Malgun Gothic", sans-serif;
  }
  html[data-gw-dark] { color-scheme: light dark; }
  html { background: Canvas; color: CanvasText; }
  :is(short-instructions, full-instructions, crowd-form, crowd-card, crowd-modal) img {
    max-width: 100%; height: auto;
  }
}
`);

/** Whether the template leaves all colours to us, so that dark ones can't make its text unreadable. */
export function allowsDark(root: Document): boolean {
  return (
    root.querySelector(
      'style, link[rel~="stylesheet"], [bgcolor], [color], [style*="color" i], [style*="background" i]',
    ) === null
  );
}
