import type { SlidingWindow } from "../../../core/index.ts";
import { transpose, winograd, type TileStep, type Winograd } from "../kernels/winograd/algorithm.ts";
import { planFromTiles } from "../kernels/winograd/from-tiles.ts";
import { planKernelToPoints, planPointsToKernel } from "../kernels/winograd/kernel-points.ts";
import { isTileable, type Tiling } from "../kernels/winograd/tiling.ts";
import { planToTiles } from "../kernels/winograd/to-tiles.ts";
import { int } from "../onnx-emitter.ts";
import type { LoweringContext, Operand } from "./lowering.ts";
import { product, windowAxes } from "./window.ts";

/**
 * A convolution of 3x3 by Winograd's minimal filtering: our kernels transform tiles, ONNX Runtime multiplies them, one product for each point.
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

/** Channels on either side from which it is the fastest way, and worth the memory of the tiles. */
const fewestChannels = 64;

/**
 * By what was fastest in one thread, in ms as ONNX Runtime's convolutions / by steps of 2 / by steps of 4, all three computations:
 * [32, 64, 32, 32] 157 / 96 / 72, [32, 128, 16, 16] 149 / 76 / 36, [32, 256, 8, 8] 111 / 72 / 46, [32, 512, 4, 4] 181 / 82 / 89, [32, 64, 8, 8] 6.2 / 3.2 / 2.3.
 */
function chooseStep({ x, units, group, window }: ConvolutionShape): TileStep | undefined {
  const [images = 0, channels = 0] = x;
  const isPlain = windowAxes(window).every(
    ({ kernel, stride, dilation, begin, end }) => kernel === 3 && stride === 1 && dilation === 1 && begin >= 0 && end >= 0,
  );
  if (!isPlain || group !== 1 || Math.min(channels, units) < fewestChannels) return undefined;
  if (![x, [images, units, ...window.output]].every((shape) => isTileable({ dtype: "float32", shape }))) return undefined;
  return product(window.output) > 16 ? 4 : 2;
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
    const products = this.#multiply([this.#inputTiles(x), this.#kernelPoints(weights)], { transB: int(1) }); // [points, tiles, M]
    const outputs = this.#outputs();
    return this.#call(planFromTiles(outputs, this.#algorithm.output), outputs.shape, products);
  }

  inputGradient(gradient: Operand, weights: Operand): string {
    const products = this.#multiply([this.#gradientTiles(gradient), this.#kernelPoints(weights)]); // [points, tiles, C]
    const inputs = this.#inputs();
    return this.#call(planFromTiles(inputs, transpose(this.#algorithm.input)), inputs.shape, products);
  }

  weightGradient(x: Operand, gradient: Operand): string {
    const {
      x: [, channels = 0],
      units,
    } = this.#shape;
    const products = this.#multiply([this.#gradientTiles(gradient), this.#inputTiles(x)], { transA: int(1) }); // [points, M, C]
    return this.#call(planPointsToKernel(units, channels, transpose(this.#algorithm.kernel)), [units, channels, 3, 3], products);
  }

  /** V [points, tiles, C]: made again for the gradient, because kept from the forward pass it took 42 MB of ResNet-18's memory and saved nothing. */
  #inputTiles({ name }: Operand): string {
    const inputs = this.#inputs();
    return this.#call(planToTiles(inputs, this.#algorithm.input), this.#tilesShape(inputs), name);
  }

  /** Z [points, tiles, M] */
  #gradientTiles({ name }: Operand): string {
    const outputs = this.#outputs();
    return this.#once(`gradient tiles ${name}`, () =>
      this.#call(planToTiles(outputs, transpose(this.#algorithm.output)), this.#tilesShape(outputs), name),
    );
  }

  /** U [points, M, C] */
  #kernelPoints({ name }: Operand): string {
    const {
      x: [, channels = 0],
      units,
    } = this.#shape;
    return this.#once(`kernel points ${name}`, () =>
      this.#call(planKernelToPoints(units, channels, this.#algorithm.kernel), [this.#algorithm.size ** 2, units, channels], name),
    );
  }

  #once(what: string, make: () => string): string {
    return this.#context.emit.once(`Winograd ${this.#algorithm.step} ${what}`, make);
  }

  #call(plan: Parameters<LoweringContext["kernel"] & object>[0]["plan"], shape: readonly number[], input: string): string {
    return this.#context.kernel({ plan, outputs: [shape] }, [input])[0] ?? "";
  }

  #multiply(inputs: readonly string[], attributes: Readonly<Record<string, ReturnType<typeof int>>> = {}): string {
    return this.#context.emit.emit("FusedMatMul", inputs, attributes, { domain: "com.microsoft" });
  }

  #tilesShape({ shape: [images, channels], tiles: [down, across] }: Tiling): readonly number[] {
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
