/**
 * Picture files without what makes browsers turn them.
 *
 * Coordinates are pixels of the file as stored, whatever its EXIF orientation says (see
 * groundwork/images.py and https://docs.aws.amazon.com/sagemaker/latest/dg/sms-cors-update.html). CSS's
 * `image-orientation: none` reaches neither `naturalWidth` nor canvases; a file that says nothing about
 * its orientation is turned by no browser.
 */

type Bytes = Uint8Array<ArrayBuffer>;

const JPEG_START = [0xff, 0xd8];
const JPEG_APP1 = 0xe1;
const JPEG_SCAN = 0xda;
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PNG_CHUNK_FRAME = 12;

/** Return the parts of a picture's file that are left when the EXIF data is taken out. */
export function withoutOrientation(file: Bytes): readonly Bytes[] {
  if (startsWith(file, JPEG_START)) return jpegParts(file);
  if (startsWith(file, PNG_SIGNATURE)) return pngParts(file);
  return [file];
}

/** APP1 segments hold EXIF and XMP; the colour profile is in APP2 and stays. */
function jpegParts(file: Bytes): readonly Bytes[] {
  const parts: Bytes[] = [file.subarray(0, 2)];
  const numbers = view(file);
  let at = 2;
  while (at + 4 <= file.length && file[at] === 0xff) {
    const marker = file[at + 1] ?? 0;
    if (marker === JPEG_SCAN) break;
    if (marker === 0xff) {
      // A fill byte before the marker.
      at += 1;
      continue;
    }
    const end = at + 2 + numbers.getUint16(at + 2);
    if (marker !== JPEG_APP1) parts.push(file.subarray(at, end));
    at = end;
  }
  parts.push(file.subarray(at));
  return parts;
}

function pngParts(file: Bytes): readonly Bytes[] {
  const parts: Bytes[] = [file.subarray(0, PNG_SIGNATURE.length)];
  const numbers = view(file);
  let at = PNG_SIGNATURE.length;
  while (at + PNG_CHUNK_FRAME <= file.length) {
    const end = at + PNG_CHUNK_FRAME + numbers.getUint32(at);
    const kind = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (kind !== "eXIf") parts.push(file.subarray(at, end));
    at = end;
  }
  parts.push(file.subarray(at));
  return parts;
}

function startsWith(file: Bytes, beginning: readonly number[]): boolean {
  return beginning.every((byte, position) => file[position] === byte);
}

function view(file: Bytes): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength);
}
