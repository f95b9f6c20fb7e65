/** One line of a drawing: points in any unit, x to the right and y down. */
export type Stroke = readonly Point[];

/** A place on a drawing. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** How a model's images look, so that a drawing can be made to look alike. */
export interface InkStyle {
  readonly height: number;
  readonly width: number;
  /** The rows that ink reaches, from 0; drawings are scaled to fill them. */
  readonly top: number;
  readonly bottom: number;
  /** The share of the whole image that is ink, 0 to 1; the pen is made as wide as that takes. */
  readonly ink: number;
  /** The value of a full pixel; an empty one is 0. */
  readonly full: number;
}

/** How finely a pixel is looked at: 4x4 places, as the UCI digits count them. */
const places = 4;

/**
 * Draws strokes as small an image as a model sees: scaled to the rows that its images fill, centred, with as much ink as they have.
 *
 * The UCI digits were made so: bitmaps of 32x32 in which a digit fills the height, counted in blocks of 4x4; whoever wrote large or with a thick pen looks
 * the same afterwards.
 *
 * @returns [height, width] row by row, from 0 to `full`; all 0 for a drawing without a point
 * @see E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998)
 */
export function rasterize(strokes: readonly Stroke[], style: InkStyle): Float32Array {
  const points = strokes.flat();
  if (points.length === 0) return new Float32Array(style.height * style.width);
  const target = style.ink * style.height * style.width * places * places;
  // A wider pen leaves less room for the lines' middle, so ink does not grow evenly: halve the interval.
  let [thin, thick] = [places / 4, (style.bottom - style.top + 1) * places];
  let image = drawLines(strokes, { style, pen: thin });
  for (let i = 0; i < 12; i++) {
    const pen = (thin + thick) / 2;
    image = drawLines(strokes, { style, pen });
    if (image.ink < target) thin = pen;
    else thick = pen;
  }
  return image.values;
}

/**
 * The style of an image that a model was trained on.
 *
 * @param values [height, width] row by row
 * @param full the value of a full pixel
 */
export function inkStyle(values: ArrayLike<number>, { height, width, full }: { height: number; width: number; full: number }): InkStyle {
  const inked = Array.from({ length: height }, (_, row) => row).filter((row) =>
    Array.from({ length: width }, (_, column) => values[row * width + column] ?? 0).some((value) => value > full / 8),
  );
  const sum = Array.from({ length: height * width }, (_, i) => values[i] ?? 0).reduce((a, b) => a + b, 0);
  const ink = Math.min(0.5, Math.max(0.05, sum / (height * width * full)));
  return { height, width, full, ink, top: inked[0] ?? 0, bottom: inked.at(-1) ?? height - 1 };
}

interface Drawn {
  readonly values: Float32Array;
  /** How many places have ink. */
  readonly ink: number;
}

function drawLines(strokes: readonly Stroke[], { style, pen }: { style: InkStyle; pen: number }): Drawn {
  const { height, width, top, bottom, full } = style;
  const fitted = fit(strokes, { style, pen });
  const columns = width * places;
  const rows = height * places;
  const inked = new Uint8Array(rows * columns);
  for (const stroke of fitted) {
    for (const [i, from] of stroke.entries()) markLine(inked, { from, to: stroke[i + 1] ?? from, pen, rows, columns });
  }
  const values = new Float32Array(height * width);
  let ink = 0;
  for (let row = top * places; row < (bottom + 1) * places; row++) {
    for (let column = 0; column < columns; column++) {
      if (inked[row * columns + column] === 0) continue;
      ink += 1;
      const pixel = Math.floor(row / places) * width + Math.floor(column / places);
      values[pixel] = (values[pixel] ?? 0) + full / (places * places);
    }
  }
  return { values, ink };
}

/** Strokes in units of places: their outline, pen included, fills the style's rows, or the image's width if that comes first. */
function fit(strokes: readonly Stroke[], { style, pen }: { style: InkStyle; pen: number }): readonly Stroke[] {
  const points = strokes.flat();
  const [left, right] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const [high, low] = [Math.min(...points.map(({ y }) => y)), Math.max(...points.map(({ y }) => y))];
  const room = (style.bottom - style.top + 1) * places;
  const scale = Math.min(
    Math.max(room - pen, 0) / Math.max(low - high, 1e-6),
    Math.max(style.width * places * widest - pen, 0) / Math.max(right - left, 1e-6),
  );
  // A dot has no size to scale by; it stays where it is, in the middle.
  const bounded = Number.isFinite(scale) && Math.max(low - high, right - left) > 1e-6 ? scale : 0;
  const centre = { x: (style.width * places) / 2, y: style.top * places + room / 2 };
  return strokes.map((stroke) =>
    stroke.map(({ x, y }) => ({ x: centre.x + (x - (left + right) / 2) * bounded, y: centre.y + (y - (high + low) / 2) * bounded })),
  );
}

/** The UCI digits leave the outer columns free: of 1,797 rows, 2 have ink in the first and 115 in the last. */
const widest = 0.75;

interface Line {
  readonly from: Point;
  readonly to: Point;
  readonly pen: number;
  readonly rows: number;
  readonly columns: number;
}

/** Marks every place whose middle is within half a pen of the line. */
function markLine(inked: Uint8Array, { from, to, pen, rows, columns }: Line): void {
  const reach = pen / 2;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const firstRow = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach));
  const lastRow = Math.min(rows - 1, Math.ceil(Math.max(from.y, to.y) + reach));
  const firstColumn = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
  const lastColumn = Math.min(columns - 1, Math.ceil(Math.max(from.x, to.x) + reach));
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const [x, y] = [column + 0.5 - from.x, row + 0.5 - from.y];
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, (x * dx + y * dy) / length));
      if (Math.hypot(x - along * dx, y - along * dy) <= reach) inked[row * columns + column] = 1;
    }
  }
}
