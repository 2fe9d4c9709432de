import { sheet } from "../elements/theme";

/** The box tool's own look, inside the layout of tool-element.ts. */
export const STYLES = sheet(`
.surface { position: absolute; inset: 0; background: var(--gw-stage); touch-action: none; user-select: none; -webkit-user-select: none; }
.surface:focus-visible { outline: 3px solid var(--gw-focus); outline-offset: -3px; }
.surface canvas { position: absolute; left: 0; top: 0; width: 100%; height: 100%; pointer-events: none; }
.note {
  position: absolute; contain: content; bottom: 0; padding: 3px 10px; background: rgb(12 14 18 / 82%); color: #fff;
  font: 12px/1.5 var(--gw-font); pointer-events: none; font-variant-numeric: tabular-nums;
}
.note.hint { left: 0; border-top-right-radius: var(--gw-radius); max-width: calc(100% - 210px); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.note.facts { right: 0; border-top-left-radius: var(--gw-radius); white-space: pre; }
.message { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 10px; padding: 24px; text-align: center; background: var(--gw-stage); }
.message p { margin: 0; max-width: 52ch; }
.message .title { font-weight: 600; font-size: 16px; }
.message code { font-size: 12px; overflow-wrap: anywhere; color: var(--gw-quiet); }
.icon { width: 20px; height: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
/* Text that the accessible name says in words: "2 boxes" rather than "2", "Control+Z" rather than "^Z". */
.aside-text::after { content: attr(data-text) / ""; }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 2px; }
.tools .gap { width: 1px; height: 28px; margin: 0 6px; background: var(--gw-line); }
.tool-button {
  display: grid; justify-items: center; align-content: center; gap: 1px; min-width: 38px; min-height: 40px; padding: 3px 5px;
  border: 1px solid transparent; border-radius: var(--gw-radius); background: none; color: var(--gw-text); cursor: pointer; font: 11px/1.2 var(--gw-font);
}
.tool-button span { color: var(--gw-quiet); }
.tool-button:hover:not([aria-disabled="true"]) { background: var(--gw-surface); border-color: var(--gw-line); }
.tool-button[aria-pressed="true"], .tool-button[aria-expanded="true"] { background: var(--gw-accent-soft); border-color: var(--gw-accent); color: var(--gw-accent); }
.tool-button[aria-pressed="true"] span, .tool-button[aria-expanded="true"] span { color: inherit; }
.tool-button[aria-disabled="true"] { color: var(--gw-line-strong); cursor: default; }
.tool-button[aria-disabled="true"] span { color: inherit; }
.nothing { margin-left: auto; }
.nothing[aria-pressed="true"] { background: var(--gw-accent); border-color: var(--gw-accent); color: var(--gw-on-accent); }
.nothing .mark { display: inline-block; width: 1em; text-align: center; }
.nothing kbd { background: none; border-color: currentcolor; color: inherit; }
.adjust { position: relative; display: inline-flex; }
.slider {
  position: absolute; z-index: 4; bottom: calc(100% + 8px); left: 0; display: flex; white-space: nowrap; align-items: center; gap: 10px;
  padding: 8px 12px; border: 1px solid var(--gw-line-strong); border-radius: var(--gw-radius); background: var(--gw-raised); box-shadow: var(--gw-shadow); font: 13px/1.4 var(--gw-font);
}
.slider input { width: 180px; min-height: 24px; accent-color: var(--gw-accent); }
.slider output { min-width: 4ch; text-align: right; font-variant-numeric: tabular-nums; }
.panel { display: flex; flex-direction: column; min-height: 0; padding: 10px 10px 0; }
.panel.labels { flex: 0 1 auto; max-height: 62%; }
.panel.boxes { flex: 1 1 120px; border-top: 1px solid var(--gw-line); }
.panel h3 { display: flex; justify-content: space-between; margin: 0 2px 6px; font: 600 13px/1.4 var(--gw-font); }
.panel .total { color: var(--gw-quiet); font-weight: 400; }
.panel .field { min-height: 32px; padding: 4px 10px; margin-bottom: 6px; font-size: 14px; flex: none; }
.panel ul { list-style: none; margin: 0; padding: 2px 2px 8px; overflow: auto; min-height: 0; }
.panel .empty { margin: 2px; color: var(--gw-quiet); font-size: 13px; }
.row { display: flex; align-items: stretch; border-radius: var(--gw-radius); border: 1px solid transparent; }
.row:hover { background: var(--gw-surface); }
.row.chosen { background: var(--gw-accent-soft); border-color: var(--gw-accent); }
.row button { border: 0; background: none; cursor: pointer; min-height: 30px; padding: 3px 6px; font: 14px/1.3 var(--gw-font); border-radius: 5px; }
.row .main { flex: 1; min-width: 0; display: flex; align-items: center; gap: 8px; text-align: left; }
.row .name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row.chosen .name { font-weight: 600; }
.row .count, .row .size { color: var(--gw-quiet); font-size: 12px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.row.chosen .count, .row.chosen .size { color: inherit; }
.row .eye { min-width: 30px; display: grid; place-items: center; color: var(--gw-quiet); }
.row .eye[aria-pressed="true"] { color: var(--gw-danger); }
.row.off .name { text-decoration: line-through; color: var(--gw-quiet); }
.row.foreign .name { font-style: italic; }
.sample { width: 24px; height: 16px; flex: none; border-radius: 3px; }
.boxes .row { content-visibility: auto; contain-intrinsic-height: 32px; }
@container (max-width: 760px) {
  .panel.labels { max-height: none; }
  .panel.boxes { flex: none; }
  .note.hint { display: none; }
  .nothing { margin-left: 0; }
  .nothing kbd, .tool-button span, .tools .gap, .tool-button.keys { display: none; }
  .tool-button { min-width: 32px; min-height: 34px; padding: 3px; }
  .adjust { position: static; }
  .slider { left: 8px; bottom: 130px; }
}
`);
