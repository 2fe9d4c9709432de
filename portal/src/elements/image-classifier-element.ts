import { loadPicture, makePicture, type PictureFault } from "../boxes/picture";
import { frame } from "../frame/client";
import { ClassifierElement } from "./classifier-element";
import { h } from "./dom";
import { parseLooseJson } from "./loose-json";
import { boxFlags, drawBoxes, type Overlay, readOverlay } from "./overlay";
import { text } from "./texts";
import { sheet } from "./theme";

const STYLE = sheet(`
.canvas { position: absolute; inset: 12px; display: grid; place-items: center; container-type: size; }
.fit { position: relative; }
.fit img { display: block; width: 100%; height: 100%; }
.overlay, .mask { position: absolute; inset: 0; width: 100%; height: 100%; }
.overlay rect { fill: none; stroke-width: 2.5; }
.overlay .rim { stroke: rgb(0 0 0 / 75%); stroke-width: 5; }
.mask { opacity: 0.55; }
.flag {
  position: absolute; transform: translateY(-100%); max-width: 200px; padding: 1px 6px; overflow: hidden;
  border-radius: 3px 3px 0 0; color: #000000; font: 600 12px/1.5 var(--gw-font); text-overflow: ellipsis; white-space: nowrap;
}
.hide-overlay :is(.overlay, .mask, .flag) { display: none; }
.waiting { color: var(--gw-quiet); }
.failed { max-width: 420px; padding: 20px; border-radius: 8px; background: var(--gw-raised); text-align: center; }
.failed p { margin: 0 0 10px; }
.failed strong { display: block; margin-bottom: 6px; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px; margin: 0; padding: 0; list-style: none; font-size: 14px; }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend i { width: 14px; height: 14px; border: 1px solid rgb(0 0 0 / 60%); border-radius: 3px; }
.show { display: inline-flex; align-items: center; gap: 8px; min-height: 28px; font-size: 14px; cursor: pointer; }
.show input { width: 18px; height: 18px; margin: 0; accent-color: var(--gw-accent); }
`);

/** A classifier whose object is an image, perhaps with an earlier answer drawn over it. */
export abstract class ImageClassifierElement extends ClassifierElement {
  static override readonly observedAttributes = [
    ...ClassifierElement.observedAttributes,
    "src",
    "overlay",
  ];
  static override readonly sheets = [...ClassifierElement.sheets, STYLE];
  readonly #canvas = h("div", { class: "canvas" });
  readonly #legend = h("ul", { class: "legend" });
  readonly #showBox = h("input", { type: "checkbox", checked: true });
  readonly #showWords = h("span");
  #overlay: Overlay | undefined;
  #picture: HTMLImageElement | undefined;
  #fault: PictureFault | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.categories.length > 0) void this.#load();
  }

  override attributeChangedCallback(name: string): void {
    super.attributeChangedCallback(name);
    if (this.isConnected && this.#picture !== undefined && (name === "src" || name === "overlay")) {
      void this.#load();
    }
  }

  override localeChanged(): void {
    super.localeChanged();
    this.#picture?.setAttribute("alt", text("imageToLabel"));
    this.#showWords.textContent = text("showOverlay");
    if (this.#fault !== undefined) this.#showFault(this.#fault);
  }

  async #load(): Promise<void> {
    if (!this.#readOverlay()) return;
    const source = this.getAttribute("src") ?? "";
    // Only an overlay needs the pixels as stored; else the image may come without CORS, upright.
    const picture = this.#overlay === undefined ? document.createElement("img") : makePicture();
    picture.alt = text("imageToLabel");
    this.#picture = picture;
    this.#fault = undefined;
    const fit = h("div", { class: "fit" }, picture);
    fit.style.visibility = "hidden";
    const waiting = h("span", { class: "waiting", role: "status" }, text("imageLoading"));
    this.parts.stage.replaceChildren(this.#canvas);
    this.#canvas.replaceChildren(fit, waiting);
    const result = await loadPicture(picture, source);
    if (this.#picture !== picture) return;
    if ("fault" in result) {
      this.#fault = result.fault;
      this.#showFault(result.fault);
      const status = result.fault.reason === "status" ? ` ${result.fault.status}` : "";
      frame().send({
        type: "image-error",
        src: source,
        message: `${result.fault.reason}${status}`,
      });
      return;
    }
    const { width, height } = result.size;
    // As large as fits, without enlarging small images into blur beyond four times.
    fit.style.width = `min(100cqw, 100cqh * ${width / height}, ${width * 4}px)`;
    fit.style.aspectRatio = `${width} / ${height}`;
    fit.style.visibility = "";
    this.#canvas.replaceChildren(fit);
    this.#draw(fit, result.size);
    this.announceLoaded();
  }

  /** Whether the work can begin: a verification without what is to be verified can't. */
  #readOverlay(): boolean {
    const attribute = this.getAttribute("overlay");
    this.#overlay = undefined;
    this.parts.tools.replaceChildren();
    if (attribute === null || attribute.trim() === "") return true;
    const parsed = parseLooseJson(attribute);
    if ("problem" in parsed) {
      this.templateProblem("overlay", parsed.problem);
      return false;
    }
    this.#overlay = readOverlay(parsed.value);
    return true;
  }

  #draw(fit: HTMLElement, size: { width: number; height: number }): void {
    const overlay = this.#overlay;
    if (overlay === undefined) return;
    if (overlay.kind === "unsupported") {
      const words = text("overlayUnsupported", { kind: overlay.name });
      this.parts.tools.replaceChildren(h("div", { class: "notice", role: "alert" }, words));
      return;
    }
    if (overlay.kind === "boxes") {
      const layer = drawBoxes(overlay.boxes, size);
      layer.setAttribute("aria-label", text("overlayLabel"));
      fit.append(layer, ...boxFlags(overlay.boxes, size));
    } else {
      fit.append(h("img", { class: "mask", src: overlay.src, alt: text("overlayLabel") }));
    }
    const swatches = overlay.legend.map(({ label, color, count }) => {
      const swatch = h("i", { "aria-hidden": "true" });
      swatch.style.background = color;
      return h("li", {}, swatch, count === undefined ? label : `${label} × ${count}`);
    });
    this.#legend.replaceChildren(...swatches);
    this.#showWords.textContent = text("showOverlay");
    this.#showBox.checked = true;
    this.#showBox.onchange = () => fit.classList.toggle("hide-overlay", !this.#showBox.checked);
    const show = h("label", { class: "show" }, this.#showBox, this.#showWords);
    this.parts.tools.replaceChildren(show, this.#legend);
    this.parts.tools.parentElement?.classList.add("used");
  }

  #showFault(fault: PictureFault): void {
    const again = h("button", { type: "button", class: "button" }, text("tryAgain"));
    again.addEventListener("click", () => void this.#load());
    const status = fault.reason === "status" ? ` (${fault.status})` : "";
    this.#canvas.replaceChildren(
      h(
        "div",
        { class: "failed", role: "alert" },
        h("strong", {}, text("imageFailed") + status),
        h("p", {}, text("imageFailedHint")),
        again,
      ),
    );
  }
}
