import { checkedWindow, type SlidingWindow } from "../../../core/index.ts";
import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { channelParts, eachPart, mostShares, type HostKernel, type KernelUse } from "./host-kernel.ts";

/**
 * A depthwise convolution's gradient by its weights: ConvWeightGrad(X, dY) -> dW [C, 1, kh, kw], where every channel has one kernel.
 *
 * Each plane of X is copied with its padding around it; then every vector of dY meets the vectors of X that the kernel's places see, whose products are
 * summed in registers. As a convolution of transposed data ONNX Runtime took 83 ms for [32, 144, 32, 32] with 3x3; this takes 7.
 */
export const depthwiseWeightGrad: HostKernel = {
  operator: "ConvWeightGrad",
  plan(use) {
    const shape = depthwiseShape(use);
    const [x, dy] = use.inputs;
    const [inputs, gradients] = [x && channelParts(x), dy && channelParts(dy)];
    if (shape === undefined || inputs === undefined || gradients === undefined) return undefined;
    const width = Math.min(inputs.width, gradients.width);
    const places = shape.kernel[0] * shape.kernel[1];
    const source = weightGradFunction(shape);
    const [dyPart, plane] = [width * inputs.pixels * 4, width * (inputs.pixels + gradients.pixels) * 4];
    const sums = inputs.channels * places * 16; // of each share
    const all = { offset: 0, bytes: inputs.channels * places * 4 };
    return {
      functions: [source],
      scratchBytes: Math.max(plane + shape.planeBytes, all.bytes),
      sharedBytes: sums * mostShares,
      phases: [
        ({ functions, scratch, shared, floats, read, share }, [from = 0n, gradient = 0n]) => {
          floats.fill(0, (scratch + plane) / 4, (scratch + plane + shape.planeBytes) / 4);
          const own = shared + share.index * sums;
          floats.fill(0, own / 4, (own + sums) / 4);
          eachPart({ ...inputs, width }, share, ({ image, channel, count, place }) => {
            const offset = (image * inputs.channels + channel) * gradients.pixels * 4;
            const x = read(scratch, from, place);
            const dy = read(scratch + dyPart, gradient, { offset, bytes: count * gradients.pixels * 4 });
            functions[source.name]?.(x, dy, scratch + plane, own + channel * places * 16, count);
          });
        },
        ({ scratch, shared, floats, write, share }, _inputs, [result = 0n]) => {
          if (share.index > 0) return;
          for (let i = 0; i < inputs.channels * places; i += 1) {
            let total = 0;
            for (let thread = 0; thread < share.count; thread += 1) {
              const place = (shared + thread * sums) / 4 + i * 4;
              total += (floats[place] ?? 0) + (floats[place + 1] ?? 0) + (floats[place + 2] ?? 0) + (floats[place + 3] ?? 0);
            }
            floats[scratch / 4 + i] = total;
          }
          write(result, scratch, all);
        },
      ],
    };
  },
};

/** Sizes of one channel's planes. */
interface DepthwiseShape {
  readonly kernel: readonly [height: number, width: number];
  readonly input: readonly [height: number, width: number];
  readonly output: readonly [height: number, width: number];
  readonly begin: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  /** Bytes of a row of the padded plane, and of the whole of it. */
  readonly rowBytes: number;
  readonly planeBytes: number;
}

/** The shape when it is one that the kernel takes: images, one kernel a channel, whole vectors, strides 1 and 2 along rows. */
function depthwiseShape({ attributes, inputs: [x, dy] }: KernelUse): DepthwiseShape | undefined {
  const channels = x?.shape[1];
  if (x?.shape.length !== 4 || channels !== attributes.int("group") || channels !== dy?.shape[1]) return undefined;
  const window = checkedWindow(attributes, attributes.ints("kernel_shape"), x.shape.slice(2));
  const [input, output, kernel, begin, stride] = [window.input, window.output, window.kernel, window.begin, window.strides].map(pair);
  if (!input || !output || !kernel || !begin || !stride || window.dilations.some((dilation) => dilation !== 1)) return undefined;
  if (input[1] % 4 !== 0 || output[1] % 4 !== 0 || stride[1] > 2 || kernel[1] > mostSums || hasNegativePads(window)) return undefined;
  const rows = Math.max(begin[0] + input[0], (output[0] - 1) * stride[0] + kernel[0]);
  const columns = Math.max(begin[1] + input[1], (output[1] - 1) * stride[1] + kernel[1]) + 8; // vectors may reach past the last column
  const rowBytes = Math.ceil(columns / 4) * 16;
  return { kernel, input, output, begin, stride, rowBytes, planeBytes: rowBytes * rows };
}

function pair(values: readonly number[]): readonly [number, number] {
  return [values[0] ?? 0, values[1] ?? 0];
}

function hasNegativePads({ begin, end }: SlidingWindow): boolean {
  return [...begin, ...end].some((pad) => pad < 0);
}

/** Sums that are kept in registers at a time: processors have 16. */
const mostSums = 10;

/** (X's part, dY's part, padded plane, sums, channels): adds to four partial sums for each place of each channel's kernel. */
function weightGradFunction(shape: DepthwiseShape): FunctionSource {
  const { kernel, input, output, begin, stride, rowBytes } = shape;
  return {
    name: `depthwise weight gradient ${[kernel, input, output, begin, stride].join(" ")}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [x, dy, plane, sums, channels] = [code.parameter(0), code.parameter(1), code.parameter(2), code.parameter(3), code.parameter(4)];
      const inside = code.int("add", plane, begin[0] * rowBytes + begin[1] * 4);
      code.loop({ end: channels, step: 1 }, () => {
        copyPlane(code, { from: x, to: inside, shape });
        const rowsAtOnce = Math.max(1, Math.floor(mostSums / kernel[1]));
        for (let first = 0; first < kernel[0]; first += rowsAtOnce) {
          addProducts(code, { dy, plane, sums }, { shape, first, count: Math.min(rowsAtOnce, kernel[0] - first) });
        }
        code.int("add", x, input[0] * input[1] * 4, x);
        code.int("add", dy, output[0] * output[1] * 4, dy);
        code.int("add", sums, kernel[0] * kernel[1] * 16, sums);
      });
    },
  };
}

interface PlaneCopy {
  readonly from: Local;
  readonly to: Local;
  readonly shape: DepthwiseShape;
}

function copyPlane(code: FunctionBuilder, { from, to, shape: { input, rowBytes } }: PlaneCopy): void {
  const [source, target] = [code.int("add", from, 0), code.int("add", to, 0)];
  code.loop({ end: input[0], step: 1 }, () => {
    for (let at = 0; at < input[1] * 4; at += 16) code.store(target, at, code.load(source, at));
    code.int("add", source, input[1] * 4, source);
    code.int("add", target, rowBytes, target);
  });
}

interface Addresses {
  readonly dy: Local;
  readonly plane: Local;
  readonly sums: Local;
}

/** The rows of the kernel whose sums are made in one pass. */
interface KernelRows {
  readonly shape: DepthwiseShape;
  readonly first: number;
  readonly count: number;
}

function addProducts(code: FunctionBuilder, { dy, plane, sums }: Addresses, { shape, first, count }: KernelRows): void {
  const { kernel, output, stride, rowBytes } = shape;
  const totals = Array.from({ length: count * kernel[1] }, () => code.constant(0));
  const [gradient, row] = [code.int("add", dy, 0), code.int("add", plane, first * rowBytes)];
  code.loop({ end: output[0], step: 1 }, () => {
    for (let column = 0; column < output[1]; column += 4) {
      const value = code.load(gradient, column * 4);
      for (const [i, total] of totals.entries()) {
        const offset = Math.floor(i / kernel[1]) * rowBytes + (column * stride[1] + (i % kernel[1])) * 4;
        code.vector("multiplyAdd", [value, loadStrided(code, row, { offset, stride: stride[1] }), total], total);
      }
    }
    code.int("add", gradient, output[1] * 4, gradient);
    code.int("add", row, stride[0] * rowBytes, row);
  });
  for (const [i, total] of totals.entries()) {
    const at = (first * kernel[1] + i) * 16;
    code.store(sums, at, code.vector("add", [code.load(sums, at), total]));
  }
}

/** Four floats that lie `stride` apart: 1 or 2. */
function loadStrided(code: FunctionBuilder, address: Local, { offset, stride }: { readonly offset: number; readonly stride: number }): Local {
  const value = code.load(address, offset);
  return stride === 1 ? value : code.shuffle(value, code.load(address, offset + 16), [0, 2, 4, 6]);
}
