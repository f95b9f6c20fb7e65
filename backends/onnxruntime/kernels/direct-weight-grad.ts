import { checkedWindow } from "../../../core/index.ts";
import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { normalizer, numberBytes, numbersPhase, scratchOfNumbers, type NormalizationOptions } from "./batch-normalization.ts";
import { eachPart, mostShares, partBytes, type HostKernel, type KernelPlan, type KernelUse } from "./host-kernel.ts";
import { copyPlane, loadStrided, paddedPlanes, planesAtOnce, planeSlack, type PaddedPlanes } from "./padded-planes.ts";
import { planeWindow, type Pair, type PlaneWindow } from "./plane-window.ts";

/**
 * A convolution's gradient by its weights where few channels meet: ConvWeightGrad(X, dY) -> dW [M, C/group, kh, kw], depthwise above all.
 *
 * Planes of X are copied with their padding around them; then every vector of dY meets the vectors of X that the kernel's places see, whose products are
 * summed in registers. As a convolution of transposed data ONNX Runtime took 83 ms for [32, 144, 32, 32] with 3x3, one kernel a channel; this takes 6.
 * From [64, 1, 28, 28] to 6 with 5x5 it took 1.4 ms.
 */
export const directWeightGrad: HostKernel = {
  operator: "ConvWeightGrad",
  plan(use) {
    const problem = weightProblem(use);
    return problem && planWeightGrad(problem);
  },
};

/** The plan for inputs X, dY, scale, B, mean and variance: X is normalised and activated as it is read. */
export function planNormalizedWeightGrad(use: Pick<KernelUse, "attributes" | "inputs">, normalization: NormalizationOptions): KernelPlan | undefined {
  const problem = weightProblem(use);
  return problem && planWeightGrad({ ...problem, normalization });
}

/** Sizes of one group's planes. */
interface WeightProblem extends Omit<PlaneWindow, "begin"> {
  readonly images: number;
  readonly groups: number;
  /** Of a group: channels of X and of dY. */
  readonly channels: number;
  readonly units: number;
  readonly planes: PaddedPlanes;
  /** What is done to X as it is read. */
  readonly normalization?: NormalizationOptions;
}

/**
 * Kernels of a group, and channels of dY of a single one, up to which this is faster than ONNX Runtime's convolution of transposed data: [32, 8, 32, 32] to 16
 * with 3x3 2.3 and 5.3 ms, [32, 3, 32, 32] to 42 2.6 and 3.0, but [32, 1, 32, 32] to 64 with 5x5 3.8 and 2.4.
 */
const mostKernels = 128;
const mostUnits = 48;

/** Sums that are kept in registers at a time: processors have 16. */
const mostSums = 10;

/** The sizes when they are ones that the kernel takes: float32 images, few kernels a group, strides 1 and 2 along rows. */
function weightProblem({ attributes, inputs: [x, dy] }: Pick<KernelUse, "attributes" | "inputs">): WeightProblem | undefined {
  const [images = 0, channels = 0] = x?.shape ?? [];
  const group = attributes.int("group");
  const [perGroup, units] = [channels / group, (dy?.shape[1] ?? 0) / group];
  if (x?.dtype !== "float32" || x.shape.length !== 4 || images * channels * units === 0) return undefined;
  if (perGroup * units > mostKernels || (group === 1 && units > mostUnits)) return undefined;
  const window = planeWindow(checkedWindow(attributes, attributes.ints("kernel_shape"), x.shape.slice(2)));
  const { input, output, kernel, begin, strides, dilations } = window;
  if (strides[1] > 2 || kernel[1] > mostSums || [...input, ...output].includes(0)) return undefined;
  const reach: Pair = [
    (output[0] - 1) * strides[0] + (kernel[0] - 1) * dilations[0] + 1,
    (output[1] - 1) * strides[1] + (kernel[1] - 1) * dilations[1] + 1,
  ];
  const planes = paddedPlanes({ source: input, begin, reach });
  return { images, groups: group, channels: perGroup, units, kernel, input, output, strides, dilations, planes };
}

function planWeightGrad(problem: WeightProblem): KernelPlan {
  const { images, groups, channels, units, kernel, input, output, planes, normalization } = problem;
  const source = weightGradFunction(problem);
  const [inputBytes, outputBytes] = [channels * input[0] * input[1] * 4, units * output[0] * output[1] * 4]; // of a group
  const weights = channels * units * kernel[0] * kernel[1]; // of a group
  const width = Math.min(groups, Math.max(1, Math.floor(partBytes / Math.max(inputBytes, outputBytes))));
  const padded = groupsAtOnce(problem) * channels * planes.planeBytes + planeSlack;
  const gradientsAt = width * inputBytes;
  const paddedAt = gradientsAt + width * outputBytes;
  const sums = groups * weights * 16; // of each share
  const sumsAt = normalization === undefined ? 0 : groups * channels * numberBytes; // after the numbers
  const all = { offset: 0, bytes: groups * weights * 4 };
  return {
    functions: [source],
    writes: [groups * weights],
    scratchBytes: Math.max(paddedAt + padded, all.bytes, groups * channels * scratchOfNumbers),
    sharedBytes: sumsAt + sums * mostShares,
    phases: [
      ...(normalization === undefined ? [] : [numbersPhase(normalization, { channels: groups * channels, firstInput: 2 })]),
      ({ functions, scratch, shared, floats, read, share }, [from = 0n, gradient = 0n]) => {
        floats.fill(0, (scratch + paddedAt) / 4, (scratch + paddedAt + padded) / 4);
        const own = shared + sumsAt + share.index * sums;
        floats.fill(0, own / 4, (own + sums) / 4);
        eachPart({ images, channels: groups, pixels: inputBytes / 4, width }, share, ({ image, channel: first, count, place }) => {
          const offset = (image * groups + first) * outputBytes;
          const x = read(scratch, from, place);
          const dy = read(scratch + gradientsAt, gradient, { offset, bytes: count * outputBytes });
          const numbers = shared + first * channels * numberBytes;
          functions[source.name]?.(x, dy, scratch + paddedAt, numbers, own + first * weights * 16, count);
        });
      },
      ({ scratch, shared, floats, write, share }, _inputs, [result = 0n]) => {
        if (share.index > 0) return;
        for (let i = 0; i < groups * weights; i += 1) {
          let total = 0;
          for (let thread = 0; thread < share.count; thread += 1) {
            const place = (shared + sumsAt + thread * sums) / 4 + i * 4;
            total += (floats[place] ?? 0) + (floats[place + 1] ?? 0) + (floats[place + 2] ?? 0) + (floats[place + 3] ?? 0);
          }
          floats[scratch / 4 + i] = total;
        }
        write(result, scratch, all);
      },
    ],
  };
}

/** Groups whose planes are copied before the first of them is read. */
function groupsAtOnce({ planes, channels }: WeightProblem): number {
  return Math.max(1, Math.floor(planesAtOnce(planes) / channels));
}

/** (X's part, dY's part, padded planes, numbers to normalise by, sums, groups): adds to four partial sums for each place of each kernel. */
function weightGradFunction(problem: WeightProblem): FunctionSource {
  const { kernel, input, output, strides, dilations, channels, units, planes, normalization } = problem;
  const normalized = normalization && { bounds: normalization.bounds };
  return {
    name: `weight gradient ${[channels, units, kernel, input, output, strides, dilations, planes.insideBytes].join(" ")} ${JSON.stringify(normalized)}`,
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [x, dy, padded, numbers, sums, groups] = code.take(6);
      const normalizes = normalized && normalizer(code, normalized.bounds);
      const atOnce = groupsAtOnce(problem);
      code.loop({ end: groups, step: atOnce }, (done) => {
        const count = code.least(code.int("sub", groups, done), atOnce);
        const to = code.copy(padded);
        code.loop({ end: code.int("mul", count, channels), step: 1 }, () => {
          copyPlane(code, { from: x, to, planes, ...(normalizes && { change: normalizes(numbers) }) });
          code.int("add", numbers, numberBytes, numbers);
          code.int("add", x, input[0] * input[1] * 4, x);
          code.int("add", to, planes.planeBytes, to);
        });
        const first = code.copy(padded);
        code.loop({ end: count, step: 1 }, () => {
          code.loop({ end: units, step: 1 }, () => {
            const plane = code.copy(first);
            code.loop({ end: channels, step: 1 }, () => {
              addPlaneProducts(code, { dy, plane, sums }, problem);
              code.int("add", plane, planes.planeBytes, plane);
              code.int("add", sums, kernel[0] * kernel[1] * 16, sums);
            });
            code.int("add", dy, output[0] * output[1] * 4, dy);
          });
          code.int("add", first, channels * planes.planeBytes, first);
        });
      });
    },
  };
}

interface Addresses {
  readonly dy: Local;
  readonly plane: Local;
  readonly sums: Local;
}

/** One plane of X and one of dY, as many rows of the kernel at a time as there are registers for their sums. */
function addPlaneProducts(code: FunctionBuilder, addresses: Addresses, problem: WeightProblem): void {
  const rowsAtOnce = Math.max(1, Math.floor(mostSums / problem.kernel[1]));
  for (let first = 0; first < problem.kernel[0]; first += rowsAtOnce) {
    addProducts(code, addresses, { problem, first, count: Math.min(rowsAtOnce, problem.kernel[0] - first) });
  }
}

/** The rows of the kernel whose sums are made in one pass. */
interface KernelRows {
  readonly problem: WeightProblem;
  readonly first: number;
  readonly count: number;
}

/** Vectors of a row that are written out one after the other; more of them make a loop. */
const mostUnrolled = 16;

function addProducts(code: FunctionBuilder, { dy, plane, sums }: Addresses, { problem, first, count }: KernelRows): void {
  const { kernel, output, strides, dilations, planes } = problem;
  const totals = Array.from({ length: count * kernel[1] }, () => code.constant(0));
  const [gradient, row] = [code.copy(dy), code.int("add", plane, first * dilations[0] * planes.rowBytes)];
  const meet = (value: Local, from: Local, column: number): void => {
    for (const [i, total] of totals.entries()) {
      const down = Math.floor(i / kernel[1]) * dilations[0] * planes.rowBytes;
      const offset = down + (column * strides[1] + (i % kernel[1]) * dilations[1]) * 4;
      code.vector("multiplyAdd", [value, loadStrided(code, from, { offset, stride: strides[1] }), total], total);
    }
  };
  const whole = Math.floor(output[1] / 4);
  code.loop({ end: output[0], step: 1 }, () => {
    if (whole <= mostUnrolled) {
      for (let column = 0; column < whole * 4; column += 4) meet(code.load(gradient, column * 4), row, column);
    } else {
      const from = code.copy(row);
      code.loop({ end: whole * 16, step: 16 }, (at) => {
        meet(code.load(code.int("add", gradient, at)), from, 0);
        code.int("add", from, 16 * strides[1], from);
      });
    }
    // What lies after the row's end meets zeros.
    if (output[1] % 4 > 0) meet(code.loadFirst(gradient, { offset: whole * 16, count: output[1] % 4 }), row, whole * 4);
    code.int("add", gradient, output[1] * 4, gradient);
    code.int("add", row, strides[0] * planes.rowBytes, row);
  });
  for (const [i, total] of totals.entries()) {
    const at = (first * kernel[1] + i) * 16;
    code.store(sums, at, code.vector("add", [code.load(sums, at), total]));
  }
}
