import { describe, expect, it } from "vitest";
import { withoutOrientation } from "../src/boxes/stored-picture";

function bytes(...parts: (string | number[])[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    parts.flatMap((part) =>
      typeof part === "string" ? [...part].map((character) => character.charCodeAt(0)) : part,
    ),
  );
}

function stripped(file: Uint8Array<ArrayBuffer>): number[] {
  return withoutOrientation(file).flatMap((part) => [...part]);
}

const START = [0xff, 0xd8];
const JFIF = [0xff, 0xe0, 0, 4, 1, 1];
const EXIF = [0xff, 0xe1, 0, 8, 0x45, 0x78, 0x69, 0x66, 0, 0];
const PROFILE = [0xff, 0xe2, 0, 3, 7];
const SCAN = [0xff, 0xda, 0, 3, 1, 0xff, 0xe1, 0, 2, 9, 0xff, 0xd9];

describe("a picture's file without its orientation", () => {
  it("loses every EXIF segment of a JPEG and nothing else, not even what looks like one in its pixels", () => {
    const file = bytes(START, EXIF, JFIF, PROFILE, [0xff], EXIF, SCAN);

    expect(stripped(file)).toEqual([...bytes(START, JFIF, PROFILE, SCAN)]);
  });

  it("loses the EXIF chunk of a PNG", () => {
    const signature = "\x89PNG\r\n\x1a\n";
    const chunk = (kind: string) => bytes([0, 0, 0, 1], kind, [5], [1, 2, 3, 4]);
    const [header, exif, end] = [chunk("IHDR"), chunk("eXIf"), chunk("IEND")].map((it) => [...it]);

    expect(stripped(bytes(signature, header ?? [], exif ?? [], end ?? []))).toEqual([
      ...bytes(signature, header ?? [], end ?? []),
    ]);
  });

  it.each([
    ["cut within a segment", bytes(START, JFIF.slice(0, 5))],
    ["cut within a segment's length", bytes(START, JFIF, [0xff, 0xe1, 0])],
    ["of another kind", bytes("GIF89a")],
    ["empty", bytes()],
  ])("is left as it is when it is %s", (_case, file) => {
    expect(stripped(file)).toEqual([...file]);
  });
});
