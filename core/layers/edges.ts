import { EspalierError } from "../errors.ts";
import { checkSize } from "./argument.ts";
import { checkDataFormat, spatialAxes, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/** How much at the edges: one number everywhere, one for both ends of each axis, or [before, after] of each axis. For one axis [before, after] too. */
export type Edges = number | readonly (number | readonly [before: number, after: number])[];

interface Common extends LayerName {
  /** Default channels_first. */
  readonly dataFormat?: DataFormat;
}

/** Zeros before and after the steps. Default 1 each. @throws ARGUMENT_INVALID, GRAPH_SHAPE @see https://keras.io/api/layers/reshaping_layers/zero_padding1d/ */
export function zeroPadding1D({ padding = 1, ...common }: { readonly padding?: Edges } & Common = {}): Layer {
  return edges(common, { where: "zeroPadding1D", kind: "ZeroPadding1D", argument: "padding", axes: 1, sizes: padding, sign: 1 });
}

/** Zeros around images. Default 1 everywhere. @throws ARGUMENT_INVALID, GRAPH_SHAPE @see https://keras.io/api/layers/reshaping_layers/zero_padding2d/ */
export function zeroPadding2D({ padding = 1, ...common }: { readonly padding?: Edges } & Common = {}): Layer {
  return edges(common, { where: "zeroPadding2D", kind: "ZeroPadding2D", argument: "padding", axes: 2, sizes: padding, sign: 1 });
}

/** Zeros around volumes. Default 1 everywhere. @throws ARGUMENT_INVALID, GRAPH_SHAPE @see https://keras.io/api/layers/reshaping_layers/zero_padding3d/ */
export function zeroPadding3D({ padding = 1, ...common }: { readonly padding?: Edges } & Common = {}): Layer {
  return edges(common, { where: "zeroPadding3D", kind: "ZeroPadding3D", argument: "padding", axes: 3, sizes: padding, sign: 1 });
}

/** Steps cut off before and after. Default 1 each. @throws ARGUMENT_INVALID; GRAPH_SHAPE when nothing is left @see https://keras.io/api/layers/reshaping_layers/cropping1d/ */
export function cropping1D({ cropping = 1, ...common }: { readonly cropping?: Edges } & Common = {}): Layer {
  return edges(common, { where: "cropping1D", kind: "Cropping1D", argument: "cropping", axes: 1, sizes: cropping, sign: -1 });
}

/** Rows and columns cut off around images. Default none. @throws ARGUMENT_INVALID; GRAPH_SHAPE when nothing is left @see https://keras.io/api/layers/reshaping_layers/cropping2d/ */
export function cropping2D({ cropping = 0, ...common }: { readonly cropping?: Edges } & Common = {}): Layer {
  return edges(common, { where: "cropping2D", kind: "Cropping2D", argument: "cropping", axes: 2, sizes: cropping, sign: -1 });
}

/** What is cut off around volumes. Default 1 everywhere. @throws ARGUMENT_INVALID; GRAPH_SHAPE when nothing is left @see https://keras.io/api/layers/reshaping_layers/cropping3d/ */
export function cropping3D({ cropping = 1, ...common }: { readonly cropping?: Edges } & Common = {}): Layer {
  return edges(common, { where: "cropping3D", kind: "Cropping3D", argument: "cropping", axes: 3, sizes: cropping, sign: -1 });
}

interface Which {
  readonly where: string;
  readonly kind: string;
  readonly argument: "padding" | "cropping";
  readonly axes: number;
  readonly sizes: Edges;
  /** 1 adds, -1 cuts. */
  readonly sign: 1 | -1;
}

function edges({ dataFormat = "channels_first", ...common }: Common, { where, kind, argument, axes, sizes, sign }: Which): Layer {
  checkDataFormat(where, dataFormat);
  const pairs = pairsOf(sizes, { where, argument, axes });
  return {
    ...described(kind, common, { [argument]: axes === 1 ? pairs[0] : pairs, dataFormat }),
    apply({ emit, fail }, x) {
      const places = spatialAxes(x, { axes, dataFormat }, fail);
      places.forEach((axis, i) => {
        const [before, after] = pairs[i] ?? [0, 0];
        const size = Number(x.shape[axis]);
        if (sign < 0 && before + after >= size) fail(`${argument} [${before}, ${after}] leaves nothing of a size of ${size}`);
      });
      const before = pairs.map(([size]) => sign * size);
      const after = pairs.map(([, size]) => sign * size);
      if (sign > 0) return emit.op("Pad", [x, emit.ints([...before, ...after]), undefined, emit.ints(places)]);
      const ends = places.map((axis, i) => Number(x.shape[axis]) + (after[i] ?? 0));
      return emit.op("Slice", [x, emit.ints(pairs.map(([size]) => size)), emit.ints(ends), emit.ints(places)]);
    },
  };
}

function pairsOf(
  sizes: Edges,
  { where, argument, axes }: { where: string; argument: string; axes: number },
): readonly (readonly [before: number, after: number])[] {
  const check = (size: number): number => checkSize(where, argument, size, 0);
  if (typeof sizes === "number") return Array.from({ length: axes }, () => [check(sizes), check(sizes)] as const);
  const one = axes === 1 && sizes.length === 2 ? [sizes as readonly [number, number]] : sizes; // [before, after] of the only axis
  if (one.length !== axes) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${where}: ${argument} must be a number or have one entry for each of ${axes} axes, not ${JSON.stringify(sizes)}`,
      {
        argument,
        value: sizes,
      },
    );
  }
  return one.map((pair) => {
    const [before, after] = typeof pair === "number" ? [pair, pair] : pair;
    return [check(before), check(after)] as const;
  });
}
