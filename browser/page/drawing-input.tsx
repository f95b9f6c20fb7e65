import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { DrawingCanvas } from "../drawing/drawing-canvas.tsx";
import { PixelImage } from "../drawing/pixel-image.tsx";
import { inkStyle, rasterize, type InkStyle, type Stroke } from "../drawing/rasterize.ts";
import type { ModelCard, Row } from "./served-model.ts";

/** An image that can be drawn, and how the model's images look. */
export interface DrawnImage {
  readonly column: string;
  readonly style: InkStyle;
}

/** The image of a model whose only input is one of a single channel; undefined for other models. */
export function drawnImage({ inputs, features, example }: ModelCard): DrawnImage | undefined {
  const [feature] = features.features;
  if (inputs.length !== 1 || feature?.kind !== "image" || feature.shape[0] !== 1) return undefined;
  const [, height, width] = feature.shape;
  const values = numbersOf(example[feature.column]);
  const full = 1 / feature.scale;
  return { column: feature.column, style: inkStyle(values, { height, width, full: Number.isFinite(full) ? full : 1 }) };
}

/** A canvas whose drawing is the row that is asked about. */
export function DrawingInput({ image, row }: { readonly image: DrawnImage; readonly row: Signal<Row | undefined> }): JSX.Element {
  const strokes = useSignal<readonly Stroke[]>([]);
  const pixels = useSignal<Float32Array | undefined>(undefined);
  const { height, width, full } = image.style;
  const take = (next: readonly Stroke[]): void => {
    strokes.value = next;
    pixels.value = next.length === 0 ? undefined : rasterize(next, image.style);
    row.value = pixels.value && { [image.column]: nested(pixels.value, { height, width }) };
  };
  return (
    <div class="easel">
      <div class="canvas">
        <DrawingCanvas strokes={strokes.value} onDraw={take} label="Draw here" />
        {strokes.value.length === 0 && <p class="hint">Draw here with finger, pen or mouse</p>}
      </div>
      <div class="seen">
        <figure>
          <PixelImage values={pixels.value ?? []} height={height} width={width} full={full} label="The drawing as the model sees it" />
          <figcaption>What the model sees</figcaption>
        </figure>
        <button type="button" disabled={strokes.value.length === 0} onClick={() => take([])}>
          Clear
        </button>
      </div>
    </div>
  );
}

/** [1, height, width] as JSON writes it. */
function nested(values: Float32Array, { height, width }: { height: number; width: number }): number[][][] {
  return [Array.from({ length: height }, (_, y) => Array.from(values.subarray(y * width, (y + 1) * width)))];
}

function numbersOf(value: unknown): number[] {
  return Array.isArray(value) ? value.flat(Infinity).map(Number) : [];
}
