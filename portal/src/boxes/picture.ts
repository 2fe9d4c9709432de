import type { Size } from "./geometry";
import { withoutOrientation } from "./stored-picture";

/** Why a picture is not there, told as far as the browser lets a page know. */
export type PictureFault =
  | { readonly reason: "empty" }
  | { readonly reason: "network" }
  | { readonly reason: "status"; readonly status: number }
  | { readonly reason: "broken" };

/** A decoded picture in its stored orientation. */
export interface Picture {
  readonly image: HTMLImageElement;
  readonly size: Size;
  /** Free its memory. */
  close(): void;
}

/**
 * Fetch and decode a picture to draw from, or tell why not.
 *
 * It is fetched rather than given to an `img` element, which would turn it by its EXIF orientation and
 * could not say why it failed. Fetching needs CORS, which these jobs ask of their buckets anyway.
 */
export async function fetchPicture(
  source: string,
  signal: AbortSignal,
): Promise<Picture | { readonly fault: PictureFault }> {
  if (source === "") return { fault: { reason: "empty" } };
  let file: Uint8Array<ArrayBuffer>;
  let type: string;
  try {
    const response = await fetch(source, { mode: "cors", credentials: "omit", signal });
    if (!response.ok) return { fault: { reason: "status", status: response.status } };
    file = new Uint8Array(await response.arrayBuffer());
    type = response.headers.get("content-type") ?? "";
  } catch {
    // No connection and no CORS look the same to a page, on purpose.
    return { fault: { reason: "network" } };
  }
  // Buckets often say that a picture is a binary file; of blobs browsers tell the kind by the bytes.
  const named = type.startsWith("image/") ? { type } : {};
  return decode(new Blob([...withoutOrientation(file)], named));
}

async function decode(file: Blob): Promise<Picture | { readonly fault: PictureFault }> {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  const close = (): void => URL.revokeObjectURL(image.src);
  try {
    await image.decode();
    const size = { width: image.naturalWidth, height: image.naturalHeight };
    if (size.width > 0 && size.height > 0) return { image, size, close };
  } catch {
    // Not an image: told below.
  }
  close();
  return { fault: { reason: "broken" } };
}

/**
 * Make an image element that shows a picture in its stored orientation, for those who need no canvas.
 *
 * Browsers obey `image-orientation: none` only for pictures fetched under CORS
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/sms-cors-update.html), so there is no fallback
 * without it: what is drawn over a turned picture would be wrong, and nobody would see it.
 */
export function makePicture(): HTMLImageElement {
  const picture = document.createElement("img");
  picture.crossOrigin = "anonymous";
  picture.alt = "";
  picture.draggable = false;
  picture.decoding = "async";
  picture.style.imageOrientation = "none";
  return picture;
}

/** Load and decode a picture; the element must be in the document, or its size is of the turned picture. */
export async function loadPicture(
  picture: HTMLImageElement,
  source: string,
): Promise<{ readonly size: Size } | { readonly fault: PictureFault }> {
  if (source === "") return { fault: { reason: "empty" } };
  try {
    // Setting the same address again is what starts another try.
    picture.src = source;
    await picture.decode();
  } catch {
    return { fault: await diagnose(source) };
  }
  const size = await storedSize(picture);
  return size.width > 0 && size.height > 0 ? { size } : { fault: { reason: "broken" } };
}

/**
 * Return the size of a shown picture as it is stored.
 *
 * The natural size is that of the picture as its EXIF orientation turns it, whatever
 * `image-orientation` says; the layout, which obeys it, tells whether width and height change places.
 */
async function storedSize(picture: HTMLImageElement): Promise<Size> {
  const { naturalWidth, naturalHeight } = picture;
  if (picture.offsetWidth === 0) await laidOut(picture);
  const turned = naturalWidth > naturalHeight !== picture.offsetWidth > picture.offsetHeight;
  return turned && naturalWidth !== naturalHeight
    ? { width: naturalHeight, height: naturalWidth }
    : { width: naturalWidth, height: naturalHeight };
}

/** Wait until a picture takes room on the page: in a frame that is kept hidden it has none yet. */
function laidOut(picture: HTMLImageElement): Promise<void> {
  return new Promise((resolve) => {
    const observer = new ResizeObserver(() => {
      if (picture.offsetWidth === 0) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(picture);
  });
}

async function diagnose(source: string): Promise<PictureFault> {
  try {
    const response = await fetch(source, { mode: "cors", credentials: "omit" });
    await response.body?.cancel();
    return response.ok ? { reason: "broken" } : { reason: "status", status: response.status };
  } catch {
    // No connection and no CORS look the same to a page, on purpose.
    return { reason: "network" };
  }
}
