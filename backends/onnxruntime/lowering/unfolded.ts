import type { Matrix } from "../kernels/winograd/algorithm.ts";
import { planFromTiles } from "../kernels/winograd/from-tiles.ts";
import { planKernelToPoints, planPointsToKernel } from "../kernels/winograd/kernel-points.ts";
import { isTileable, type Tiling } from "../kernels/winograd/tiling.ts";
import { planToTiles } from "../kernels/winograd/to-tiles.ts";
import { int } from "../onnx-emitter.ts";
import type { LoweringContext, Operand } from "./lowering.ts";
import { windowAxes } from "./window.ts";
import type { ConvolutionShape } from "./winograd.ts";

/** The gradients of a strided convolution, one product of matrices for each place of its kernel, between what our kernels unfold and fold. */
export interface UnfoldedGradients {
  /** [N, C, H, W] */
  inputGradient(gradient: Operand, weights: Operand): string;
  /** [M, C, ...kernel] */
  weightGradient(x: Operand, gradient: Operand): string;
}

/** Channels on either side from which unfolding is the faster way. */
const fewestChannels = 32;

/**
 * The gradients of a 3x3 or 1x1 convolution with a stride where kernels of our own can be used, else undefined.
 */
export function findUnfolded(context: LoweringContext, shape: ConvolutionShape): UnfoldedGradients | undefined {
  const { kernel: call, emit } = context;
  const { x, units, group, window } = shape;
  const [first, second] = windowAxes(window);
  if (call === undefined || first === undefined || second === undefined || x.length !== 4 || group !== 1) return undefined;
  const { kernel: size, stride } = first;
  const isSquare = [first, second].every(
    (axis) => axis.kernel === size && axis.stride === stride && axis.dilation === 1 && axis.begin >= 0 && axis.end >= 0,
  );
  const [images = 0, channels = 0, height = 0, width = 0] = x;
  if (!isSquare || stride < 2 || (size !== 1 && size !== 3) || Math.min(channels, units) < fewestChannels) return undefined;
  const inputs: Tiling = {
    shape: [images, channels, height, width],
    step: stride,
    extent: size,
    begin: [first.begin, second.begin],
    tiles: [first.output, second.output],
  };
  const outputs: Tiling = { shape: [images, units, first.output, second.output], step: 1, extent: 1, begin: [0, 0], tiles: inputs.tiles };
  if (![inputs, outputs].every((tiling) => isTileable({ dtype: "float32", shape: tiling.shape }))) return undefined;

  const [places, pixels, same] = [size * size, images * first.output * second.output, identity(size)];
  const multiply = (a: string, b: string, transA: number): string => {
    return emit.emit("FusedMatMul", [a, b], { transA: int(transA) }, { domain: "com.microsoft" });
  };
  /** [1, pixels, M] */
  const rows = ({ name }: Operand): string =>
    emit.once(`pixels by channels ${name}`, () => call({ plan: planToTiles(outputs, [[1]]), outputs: [[1, pixels, units]] }, [name])[0] ?? "");
  return {
    inputGradient(gradient, { name }) {
      const weights = size === 1 ? emit.emit("Reshape", [name, emit.ints([1, units, channels])]) : "";
      const points = weights || (call({ plan: planKernelToPoints(units, channels, same), outputs: [[places, units, channels]] }, [name])[0] ?? "");
      return call({ plan: planFromTiles(inputs, same), outputs: [inputs.shape] }, [multiply(rows(gradient), points, 0)])[0] ?? "";
    },
    weightGradient(data, gradient) {
      const columns = call({ plan: planToTiles(inputs, same), outputs: [[places, pixels, channels]] }, [data.name])[0] ?? "";
      const products = multiply(rows(gradient), columns, 1); // [places, M, C]
      if (size === 1) return emit.emit("Reshape", [products, emit.ints([units, channels, 1, 1])]);
      return call({ plan: planPointsToKernel(units, channels, same), outputs: [[units, channels, size, size]] }, [products])[0] ?? "";
    },
  };
}

function identity(size: number): Matrix {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));
}
