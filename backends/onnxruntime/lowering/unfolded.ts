import type { Matrix } from "../kernels/winograd/algorithm.ts";
import { planFromTiles } from "../kernels/winograd/from-tiles.ts";
import { planKernelToPoints, planPointsToKernel } from "../kernels/winograd/kernel-points.ts";
import { isTileable, type Tiling } from "../kernels/winograd/tiling.ts";
import { planToTiles } from "../kernels/winograd/to-tiles.ts";
import type { LoweringContext, Operand } from "./lowering.ts";
import { multiply, type Matrices } from "./multiply.ts";
import { windowAxes } from "./window.ts";
import type { ConvolutionShape } from "./winograd.ts";

/** The gradients of a strided 3x3 convolution, one product of matrices for each place of its kernel, between what our kernels unfold and fold. */
export interface UnfoldedGradients {
  /** [N, C, H, W] */
  inputGradient(gradient: Operand, weights: Operand): string;
  /** [M, C, 3, 3] */
  weightGradient(x: Operand, gradient: Operand): string;
}

/** Channels on either side from which unfolding is measured to be the faster way. */
const fewestChannels = 16;

/** The most bytes that an unfolded input may take: with a stride of 2 it is 2.25 times as large as the input. */
const mostBytes = 256 * 2 ** 20;

/**
 * The gradients of a 3x3 convolution with a stride where kernels of our own can be used, else undefined.
 *
 * By the weights it took, in ms of processor time where one slice and product a place took the second: [32, 64, 32, 32] to 128 21 / 26,
 * [32, 128, 16, 16] to 256 14 / 17, [32, 256, 8, 8] to 512 12 / 16, [32, 16, 32, 32] to 32 3.1 / 4.4; 1x1 is slower.
 */
export function findUnfolded(context: LoweringContext, shape: ConvolutionShape): UnfoldedGradients | undefined {
  const { kernel: call, emit } = context;
  const { x, units, group, window } = shape;
  const [first, second] = windowAxes(window);
  if (call === undefined || first === undefined || second === undefined || x.length !== 4 || group !== 1) return undefined;
  const [size, places, { stride }] = [3, 9, first];
  const isSquare = [first, second].every(
    (axis) => axis.kernel === size && axis.stride === stride && axis.dilation === 1 && axis.begin >= 0 && axis.end >= 0,
  );
  const [images = 0, channels = 0, height = 0, width = 0] = x;
  if (!isSquare || stride < 2 || Math.min(channels, units) < fewestChannels) return undefined;
  const inputs: Tiling = {
    shape: [images, channels, height, width],
    step: stride,
    extent: size,
    begin: [first.begin, second.begin],
    tiles: [first.output, second.output],
  };
  const outputs: Tiling = { shape: [images, units, first.output, second.output], step: 1, extent: 1, begin: [0, 0], tiles: inputs.tiles };
  if (![inputs, outputs].every((tiling) => isTileable({ dtype: "float32", shape: tiling.shape }))) return undefined;
  const pixels = images * first.output * second.output;
  if (places * pixels * channels * 4 > mostBytes) return undefined;

  /** [1, pixels, M] */
  const rows = ({ name }: Operand): string =>
    emit.once(`pixels by channels ${name}`, () => call({ plan: planToTiles(outputs, [[1]]), outputs: [[1, pixels, units]] }, [name])[0] ?? "");
  const all = (name: string): Matrices => ({ name, shape: [1, pixels, units] });
  return {
    inputGradient(gradient, { name }) {
      const points = call({ plan: planKernelToPoints(units, channels, same), outputs: [[places, units, channels]] }, [name])[0] ?? "";
      return (
        call({ plan: planFromTiles(inputs, same), outputs: [inputs.shape] }, [
          multiply(context, all(rows(gradient)), { name: points, shape: [places, units, channels] }),
        ])[0] ?? ""
      );
    },
    weightGradient(data, gradient) {
      const columns = call({ plan: planToTiles(inputs, same), outputs: [[places, pixels, channels]] }, [data.name])[0] ?? "";
      const products = multiply(context, { ...all(rows(gradient)), across: true }, { name: columns, shape: [places, pixels, channels] }); // [places, M, C]
      return call({ plan: planPointsToKernel(units, channels, same), outputs: [[units, channels, size, size]] }, [products])[0] ?? "";
    },
  };
}

/** Tiles as they are: the unit matrix. */
const same: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
