import type { Locator, Page } from "playwright-core";

/** A digit as lines, in shares of the canvas's side. */
export type DrawnDigit = readonly (readonly (readonly [x: number, y: number])[])[];

/** Digits as a person would draw them. */
export const drawnDigits: { readonly zero: DrawnDigit; readonly two: DrawnDigit } = {
  zero: [
    Array.from({ length: 25 }, (_, i) => [0.5 + 0.2 * Math.sin((i / 24) * 2 * Math.PI), 0.5 - 0.33 * Math.cos((i / 24) * 2 * Math.PI)] as const),
  ],
  two: [
    [
      [0.3, 0.28],
      [0.4, 0.17],
      [0.55, 0.15],
      [0.68, 0.24],
      [0.68, 0.38],
      [0.57, 0.55],
      [0.4, 0.72],
      [0.28, 0.85],
      [0.5, 0.84],
      [0.75, 0.84],
    ],
  ],
};

/** Draws with the mouse. */
export async function drawOn(page: Page, canvas: Locator, strokes: DrawnDigit): Promise<void> {
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  if (box === null) throw new Error("the canvas is not on the page");
  for (const stroke of strokes) {
    for (const [i, [x, y]] of stroke.entries()) {
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
      if (i === 0) await page.mouse.down();
    }
    await page.mouse.up();
  }
}
