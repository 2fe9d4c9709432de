import type { Size } from "./geometry";

/** Why a picture is not there, told as far as the browser lets a page know. */
export type PictureFault =
  | { readonly reason: "empty" }
  | { readonly reason: "network" }
  | { readonly reason: "status"; readonly status: number }
  | { readonly reason: "broken" };

export type PictureResult = { readonly size: Size } | { readonly fault: PictureFault };

/**
 * Make the image element that shows a picture in its stored orientation.
 *
 * Coordinates are pixels of the file, whatever its EXIF orientation says (see groundwork/images.py).
 * Browsers obey `image-orientation: none` only for pictures fetched under CORS
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/sms-cors-update.html), so there is no fallback
 * without it: boxes on a turned picture would be wrong, and nobody would see it.
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
): Promise<PictureResult> {
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
