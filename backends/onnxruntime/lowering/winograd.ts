import type { SlidingWindow } from "../../../core/index.ts";
import { transpose, winograd, type TileStep, type Winograd } from "../kernels/winograd/algorithm.ts";
import { planFromTiles } from "../kernels/winograd/from-tiles.ts";
import { planKernelToPoints, planPointsToKernel } from "../kernels/winograd/kernel-points.ts";
import { isTileable, type Tiling } from "../kernels/winograd/tiling.ts";
import { planToTiles } from "../kernels/winograd/to-tiles.ts";
import type { LoweringContext, Operand } from "./lowering.ts";
import { multiply, type Matrices } from "./multiply.ts";
import { product, windowAxes } from "./window.ts";

/**
 * A convolution of 3x3 by Winograd's minimal filtering: our kernels transform tiles, which are multiplied, one product for each point.
 *
 * Forward y = A^T (U . V) A with U = G w G^T and V = B^T x B. Its gradients are the transposed maps: with Z = A dY A^T they are B (U^T . Z) B^T by the
 * input and G^T (Z . V^T) G by the weights, so that the three of them share U and Z.
 */
export interface WinogradConvolution {
  /** [N, M, OH, OW] */
  forward(x: Operand, weights: Operand): string;
  /** [N, C, H, W] */
  inputGradient(gradient: Operand, weights: Operand): string;
  /** [M, C, 3, 3] */
  weightGradient(x: Operand, gradient: Operand): string;
}

/** What a convolution needs to be chosen. */
export interface ConvolutionShape {
  /** [N, C, H, W] */
  readonly x: readonly number[];
  /** M */
  readonly units: number;
  readonly group: number;
  readonly window: SlidingWindow;
}

/**
 * The convolution by Winograd's filtering where kernels of our own can be used and it is the fastest way, else undefined.
 */
export function findWinograd(context: LoweringContext, shape: ConvolutionShape): WinogradConvolution | undefined {
  const { kernel } = context;
  const step = kernel && chooseStep(shape);
  return kernel && step && new Emission({ ...context, kernel }, shape, winograd(step));
}

/** Channels on either side from which it is the fastest way. */
const fewestChannels = 16;

/**
 * The most bytes that the tiles of one tensor may take, with as many channels as make it worth most and with fewer. Tiles are 2.25 or 4 times as
 * large as their tensor, and two tensors' are there at a time.
 */
const manyChannels = 64;
const mostBytes = { many: 256 * 2 ** 20, few: 24 * 2 ** 20 };

/**
 * By what was fastest in one thread, in ms of processor time for y, dX and dW as ONNX Runtime's convolutions and products / with steps of 2 / of 4:
 * [32, 16, 32, 32] 12 / 12 / 8.2, [32, 32, 32, 32] 28 / 27 / 19, [32, 64, 32, 32] 78 / 75 / 45, [32, 128, 16, 16] 65 / 45 / 29,
 * [32, 256, 8, 8] 61 / 35 / 25, [32, 512, 4, 4] 81 / 40 / 42, [32, 256, 4, 4] 21.4 / 10.4 / 10.2, [4, 512, 7, 7] 41 / 24 / 33,
 * [4, 128, 28, 28] 25 / 17 / 13, [1, 64, 32, 32] 2.7 / 2.2 / 1.4.
 * A step of 4 halves the products again, but its kernels are 2.25 times as large, which few tiles do not make up for.
 */
function chooseStep({ x, units, group, window }: ConvolutionShape): TileStep | undefined {
  const [images = 0, channels = 0] = x;
  const isPlain = windowAxes(window).every(
    ({ kernel, stride, dilation, begin, end }) => kernel === 3 && stride === 1 && dilation === 1 && begin >= 0 && end >= 0,
  );
  const [fewest, most] = [Math.min(channels, units), Math.max(channels, units)];
  if (!isPlain || group !== 1 || fewest < fewestChannels) return undefined;
  if (![x, [images, units, ...window.output]].every((shape) => isTileable({ dtype: "float32", shape }))) return undefined;
  return ([4, 2] as const).find((step) => {
    const tiles = images * product(window.output.map((size) => Math.ceil(size / step)));
    return tiles * 8 >= fewest && tiles * most * (step + 2) ** 2 * 4 <= mostBytes[fewest >= manyChannels ? "many" : "few"];
  });
}

class Emission implements WinogradConvolution {
  readonly #context: LoweringContext & Required<Pick<LoweringContext, "kernel">>;
  readonly #shape: ConvolutionShape;
  readonly #algorithm: Winograd;

  constructor(context: LoweringContext & Required<Pick<LoweringContext, "kernel">>, shape: ConvolutionShape, algorithm: Winograd) {
    this.#context = context;
    this.#shape = shape;
    this.#algorithm = algorithm;
  }

  forward(x: Operand, weights: Operand): string {
    const outputs = this.#outputs();
    const products = multiply(this.#context, this.#inputTiles(x), { ...this.#kernelPoints(weights), across: true }); // [points, tiles, M]
    return this.#call(planFromTiles(outputs, this.#algorithm.output), outputs.shape, products);
  }

  inputGradient(gradient: Operand, weights: Operand): string {
    const inputs = this.#inputs();
    const products = multiply(this.#context, this.#gradientTiles(gradient), this.#kernelPoints(weights)); // [points, tiles, C]
    return this.#call(planFromTiles(inputs, transpose(this.#algorithm.input)), inputs.shape, products);
  }

  weightGradient(x: Operand, gradient: Operand): string {
    const {
      x: [, channels = 0],
      units,
    } = this.#shape;
    const products = multiply(this.#context, { ...this.#gradientTiles(gradient), across: true }, this.#inputTiles(x)); // [points, M, C]
    return this.#call(planPointsToKernel(units, channels, transpose(this.#algorithm.kernel)), [units, channels, 3, 3], products);
  }

  /** V [points, tiles, C]: made again for the gradient, because kept from the forward pass it took 42 MB of ResNet-18's memory and saved nothing. */
  #inputTiles({ name }: Operand): Matrices {
    const inputs = this.#inputs();
    const shape = this.#tilesShape(inputs);
    return { name: this.#call(planToTiles(inputs, this.#algorithm.input), shape, name), shape };
  }

  /** Z [points, tiles, M] */
  #gradientTiles({ name }: Operand): Matrices {
    const outputs = this.#outputs();
    const shape = this.#tilesShape(outputs);
    const tiles = this.#once(`gradient tiles ${name}`, () => this.#call(planToTiles(outputs, transpose(this.#algorithm.output)), shape, name));
    return { name: tiles, shape };
  }

  /** U [points, M, C] */
  #kernelPoints({ name }: Operand): Matrices {
    const {
      x: [, channels = 0],
      units,
    } = this.#shape;
    const shape = [this.#algorithm.size ** 2, units, channels] as const;
    const points = this.#once(`kernel points ${name}`, () => this.#call(planKernelToPoints(units, channels, this.#algorithm.kernel), shape, name));
    return { name: points, shape };
  }

  #once(what: string, make: () => string): string {
    return this.#context.emit.once(`Winograd ${this.#algorithm.step} ${what}`, make);
  }

  #call(plan: Parameters<LoweringContext["kernel"] & object>[0]["plan"], shape: readonly number[], input: string): string {
    return this.#context.kernel({ plan, outputs: [shape] }, [input])[0] ?? "";
  }

  #tilesShape({ shape: [images, channels], tiles: [down, across] }: Tiling): Matrices["shape"] {
    return [this.#algorithm.size ** 2, images * down * across, channels];
  }

  /** The images that tiles of `size` are cut from, which overlap. */
  #inputs(): Tiling {
    const {
      x: [images = 0, channels = 0, height = 0, width = 0],
      window,
    } = this.#shape;
    const [top = 0, left = 0] = window.begin;
    const { step, size } = this.#algorithm;
    return { shape: [images, channels, height, width], step, extent: size, begin: [top, left], tiles: this.#tiles() };
  }

  /** The images that tiles of `step` make. */
  #outputs(): Tiling {
    const {
      x: [images = 0],
      units,
      window: {
        output: [height = 0, width = 0],
      },
    } = this.#shape;
    const { step } = this.#algorithm;
    return { shape: [images, units, height, width], step, extent: step, begin: [0, 0], tiles: this.#tiles() };
  }

  #tiles(): readonly [number, number] {
    const [height = 0, width = 0] = this.#shape.window.output;
    return [Math.ceil(height / this.#algorithm.step), Math.ceil(width / this.#algorithm.step)];
  }
}
