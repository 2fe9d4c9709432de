import { describe, expect, it } from "vitest";
import {
  boxBetween,
  boxesAt,
  fitBox,
  HANDLES,
  handleAt,
  MINIMUM_SIDE,
  moveBox,
  resizeBox,
} from "../src/boxes/geometry";
import { gestureAt } from "../src/boxes/interaction";
import { fit, reveal, toImage, toScreen, zoomTo } from "../src/boxes/view";

const IMAGE = { width: 400, height: 300 };
const BOX = { left: 100, top: 50, width: 80, height: 60 };

describe("drawing", () => {
  it("gives whole pixels whatever corner was first", () => {
    const expected = { left: 10, top: 21, width: 30, height: 19 };

    expect(boxBetween({ x: 10.4, y: 20.6 }, { x: 39.8, y: 40.2 }, IMAGE)).toEqual(expected);
    expect(boxBetween({ x: 39.8, y: 40.2 }, { x: 10.4, y: 20.6 }, IMAGE)).toEqual(expected);
  });

  it("stays inside the image when the pointer leaves it", () => {
    expect(boxBetween({ x: 390, y: 290 }, { x: 900, y: 1000 }, IMAGE)).toEqual({
      left: 390,
      top: 290,
      width: 10,
      height: 10,
    });
    expect(boxBetween({ x: 5, y: 5 }, { x: -50, y: -1 }, IMAGE)).toMatchObject({ left: 0, top: 0 });
  });

  it("keeps the least size, even in the image's last corner and in an image smaller than it", () => {
    const corner = boxBetween({ x: 400, y: 300 }, { x: 400, y: 300 }, IMAGE);
    expect(corner).toEqual({ left: 397, top: 297, width: MINIMUM_SIDE, height: MINIMUM_SIDE });

    const tiny = boxBetween({ x: 0, y: 0 }, { x: 1, y: 1 }, { width: 2, height: 1 });
    expect(tiny).toEqual({ left: 0, top: 0, width: 2, height: 1 });
  });
});

describe("moving and resizing", () => {
  it("stops a move at the border without changing the size", () => {
    expect(moveBox(BOX, -1000, 1000, IMAGE)).toEqual({ ...BOX, left: 0, top: 240 });
  });

  it.each(HANDLES)("moves only the sides of handle %o", (handle) => {
    const resized = resizeBox(BOX, handle, 7, 9, IMAGE);

    const [right, bottom] = [resized.left + resized.width, resized.top + resized.height];
    expect(resized.left).toBe(handle.x < 0 ? 107 : 100);
    expect(right).toBe(handle.x > 0 ? 187 : 180);
    expect(resized.top).toBe(handle.y < 0 ? 59 : 50);
    expect(bottom).toBe(handle.y > 0 ? 119 : 110);
  });

  it("never turns a box inside out nor leaves the image", () => {
    expect(resizeBox(BOX, { x: -1, y: -1 }, 500, 500, IMAGE)).toEqual({
      left: 177,
      top: 107,
      width: 3,
      height: 3,
    });
    expect(resizeBox(BOX, { x: 1, y: 1 }, 5000, 5000, IMAGE)).toEqual({
      left: 100,
      top: 50,
      width: 300,
      height: 250,
    });
  });

  it("leaves a smaller box of an initial value as it is while its other side moves", () => {
    const thin = { left: 10, top: 10, width: 1, height: 50 };

    expect(resizeBox(thin, { x: 0, y: 1 }, 0, 5, IMAGE)).toEqual({ ...thin, height: 55 });
  });
});

describe("boxes from outside", () => {
  it("are rounded at their edges and cut at the image's border", () => {
    expect(fitBox({ left: -5.5, top: 10.4, width: 20, height: 10.2 }, IMAGE)).toEqual({
      left: 0,
      top: 10,
      width: 15,
      height: 11,
    });
  });

  it.each([
    { left: 500, top: 0, width: 10, height: 10 },
    { left: 0, top: 0, width: -10, height: 10 },
    { left: Number.NaN, top: 0, width: 10, height: 10 },
  ])("are no boxes without a pixel of the image: %o", (box) => {
    expect(fitBox(box, IMAGE)).toBeUndefined();
  });
});

describe("hitting", () => {
  it("finds corners, edges along their whole length, and nothing in the middle", () => {
    expect(handleAt(BOX, { x: 98, y: 48 }, 5)).toEqual({ x: -1, y: -1 });
    expect(handleAt(BOX, { x: 181, y: 75 }, 5)).toEqual({ x: 1, y: 0 });
    expect(handleAt(BOX, { x: 130, y: 112 }, 5)).toEqual({ x: 0, y: 1 });
    expect(handleAt(BOX, { x: 140, y: 80 }, 5)).toBeUndefined();
    expect(handleAt(BOX, { x: 190, y: 80 }, 5)).toBeUndefined();
  });

  it("leaves room to move a box that is smaller than the reach", () => {
    const small = { left: 0, top: 0, width: 9, height: 9 };

    expect(handleAt(small, { x: 4.5, y: 4.5 }, 20)).toBeUndefined();
  });

  it("offers the smallest box first, so that none is unreachable", () => {
    const boxes = [BOX, { left: 120, top: 60, width: 10, height: 10 }, { ...BOX, left: 300 }];

    expect(boxesAt(boxes, { x: 125, y: 65 }, 0)).toEqual([1, 0]);
  });

  it("draws across boxes at rest, and moves only the selected one", () => {
    const press = {
      at: { x: 140, y: 80 },
      reach: 5,
      mode: "draw",
      pans: false,
      draws: false,
    } as const;

    expect(gestureAt(press, undefined)).toEqual({ type: "draw" });
    expect(gestureAt(press, BOX)).toEqual({ type: "move" });
    expect(gestureAt({ ...press, draws: true }, BOX)).toEqual({ type: "draw" });
    expect(gestureAt({ ...press, pans: true }, BOX)).toEqual({ type: "pan" });
    expect(gestureAt({ ...press, at: { x: 100, y: 80 } }, BOX)).toEqual({
      type: "resize",
      handle: { x: -1, y: 0 },
    });
  });
});

describe("view", () => {
  const stage = { width: 832, height: 632 };

  it("fits the whole image with a margin, in the middle", () => {
    const view = fit(IMAGE, stage);

    expect(view).toEqual({ scale: 2, x: 16, y: 16 });
  });

  it("keeps the image point under the pointer while zooming", () => {
    const at = { x: 300, y: 200 };
    const before = fit(IMAGE, stage);
    const after = zoomTo(before, 5, at, IMAGE, stage);

    expect(toImage(after, at).x).toBeCloseTo(toImage(before, at).x, 9);
    expect(toScreen(after, toImage(before, at)).y).toBeCloseTo(at.y, 9);
  });

  it("never loses the image, and shows a box that is out of sight", () => {
    const zoomed = zoomTo(fit(IMAGE, stage), 10, { x: 0, y: 0 }, IMAGE, stage);
    const far = { left: 380, top: 280, width: 10, height: 10 };
    const shown = reveal(zoomed, far, IMAGE, stage);

    const corner = toScreen(shown, { x: 390, y: 290 });
    expect(corner.x).toBeLessThanOrEqual(stage.width);
    expect(corner.y).toBeLessThanOrEqual(stage.height);
    expect(reveal(shown, far, IMAGE, stage)).toBe(shown);
  });
});
