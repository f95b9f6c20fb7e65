import { checkedWindow } from "../../../core/index.ts";
import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { masked, type Bounds } from "./bounds.ts";
import { eachPart, partBytes, type HostKernel, type KernelPlan, type KernelUse } from "./host-kernel.ts";
import { planMaxPoolWindowsGrad } from "./max-pool-windows-grad.ts";
import { vectorColumns } from "./padded-planes.ts";
import type { Pair } from "./plane-window.ts";

/**
 * Max pooling's gradient: MaxPoolGrad(X, Y, dY) -> dX over two axes.
 *
 * One pass for windows two columns wide that lie side by side from the first element on: the columns of X are taken apart in registers, their maximum is
 * made again, and dY goes to the first place that has it. Splitting, comparing and joining by ONNX Runtime took 1.2 ms for [64, 6, 28, 28] with 2x2; this
 * takes 0.2. In a window with a NaN, which has no largest element, dY goes to one of its places, not always to that which the reference names.
 */
export const maxPoolGrad: HostKernel = {
  operator: "MaxPoolGrad",
  plan: (use) => planMaxPoolGrad(use),
};

/**
 * The plan for inputs X, Y and dY.
 *
 * @param bounds of an activation that gave X: the gradient is that by the activation's input, which only a maximum inside passes
 */
export function planMaxPoolGrad({ attributes, inputs: [x] }: Pick<KernelUse, "attributes" | "inputs">, bounds?: Bounds): KernelPlan | undefined {
  const [images = 0, channels = 0, height = 0, breadth = 0] = x?.shape ?? [];
  if (x?.dtype !== "float32" || x.shape.length !== 4 || images * channels * height * breadth === 0) return undefined;
  const window = checkedWindow(attributes, attributes.ints("kernel_shape"), x.shape.slice(2));
  const [rows = 1, columns = 1] = window.kernel;
  const [down = 0, across = 0] = window.output;
  const isTiled = window.strides[0] === rows && window.strides[1] === columns && window.begin.every((pad) => pad === 0);
  const isPlain = window.dilations.every((dilation) => dilation === 1) && down * rows <= height && across * columns <= breadth;
  if (down * across === 0) return undefined;
  if (!isTiled || !isPlain || columns !== 2 || rows > mostRows) return planMaxPoolWindowsGrad({ images, channels, window, bounds });
  const tiles: Tiles = { input: [height, breadth], output: [down, across], rows, bounds };
  const source = gradientFunction(tiles);
  const [pixels, places] = [height * breadth, down * across];
  const width = Math.min(channels, Math.max(1, Math.floor(partBytes / (pixels * 4))));
  const size = width * pixels * 4;
  return {
    functions: [source],
    writes: [images * channels * pixels],
    scratchBytes: 2 * size + width * places * 4,
    phases: [
      ({ functions, scratch, read, target, write, share }, [from = 0n, , gradient = 0n], [to = 0n]) => {
        eachPart({ images, channels, pixels, width }, share, ({ image, channel, count, place }) => {
          const offset = (image * channels + channel) * places * 4;
          const dy = read(scratch + 2 * size, gradient, { offset, bytes: count * places * 4 });
          const dx = target(scratch + size, to, place);
          functions[source.name]?.(read(scratch, from, place), dy, dx, count);
          write(to, dx, place);
        });
      },
    ],
  };
}

/** Rows of a window whose elements are in registers. */
const mostRows = 4;

interface Tiles {
  readonly input: Pair;
  readonly output: Pair;
  /** Of a window. */
  readonly rows: number;
  readonly bounds: Bounds | undefined;
}

/** (X's part, dY's part, dX's part, channels) */
function gradientFunction(tiles: Tiles): FunctionSource {
  const { input, output, rows, bounds } = tiles;
  return {
    name: `max pool gradient ${[input, output, rows].join(" ")} ${JSON.stringify(bounds)}`,
    parameters: ["i32", "i32", "i32", "i32"],
    build(code) {
      const [x, dy, dx, channels] = code.take(4);
      const mask = masked(code, bounds);
      const left = input[0] - output[0] * rows; // rows that no window reached
      code.loop({ end: channels, step: 1 }, () => {
        code.loop({ end: output[0], step: 1 }, () => {
          if (output[1] * 2 < input[1]) {
            for (let row = 0; row < rows; row += 1) fillZeros(code, dx, { from: row * input[1] + output[1] * 2, count: input[1] - output[1] * 2 });
          }
          for (const column of vectorColumns(output[1])) tileVector(code, { x, dy, dx, mask }, { tiles, column });
          code.int("add", x, rows * input[1] * 4, x);
          code.int("add", dx, rows * input[1] * 4, dx);
          code.int("add", dy, output[1] * 4, dy);
        });
        if (left === 0) return;
        fillZeros(code, dx, { from: 0, count: left * input[1] });
        code.int("add", x, left * input[1] * 4, x);
        code.int("add", dx, left * input[1] * 4, dx);
      });
    },
  };
}

function fillZeros(code: FunctionBuilder, address: Local, { from, count }: { readonly from: number; readonly count: number }): void {
  const zero = code.constant(0);
  for (let i = 0; i < count; i += 4) code.storeFirst(address, { offset: (from + i) * 4, count: Math.min(4, count - i) }, zero);
}

interface TileOperands {
  readonly x: Local;
  readonly dy: Local;
  readonly dx: Local;
  readonly mask: (gradient: Local, input: () => Local) => Local;
}

/** Four windows side by side, or as many as there are. */
function tileVector(
  code: FunctionBuilder,
  { x, dy, dx, mask }: TileOperands,
  { tiles, column }: { readonly tiles: Tiles; readonly column: number },
): void {
  const { input, output, rows } = tiles;
  const count = Math.min(output[1], 4);
  const pair = (row: number): readonly [offset: number, first: number, second: number] => [
    (row * input[1] + column * 2) * 4,
    Math.min(2 * count, 4),
    2 * count - 4,
  ];
  const places = Array.from({ length: rows }, (_, row) => {
    const [offset, first, second] = pair(row);
    const begin = code.loadFirst(x, { offset, count: first });
    const end = second > 0 ? code.loadFirst(x, { offset: offset + 16, count: second }) : begin;
    return [code.shuffle(begin, end, [0, 2, 4, 6]), code.shuffle(begin, end, [1, 3, 5, 7])];
  }).flat();
  const [one, ...others] = places;
  if (one === undefined) return;
  const largest = others.reduce((a, b) => code.vector("higher", [a, b]), one);
  let left = mask(code.loadFirst(dy, { offset: column * 4, count }), () => largest);
  const parts = places.slice(0, -1).map((place) => {
    const isFirst = code.vector("equal", [place, largest]);
    const part = code.vector("and", [left, isFirst]);
    left = code.vector("andNot", [left, isFirst]);
    return part;
  });
  parts.push(left);
  for (let row = 0; row < rows; row += 1) {
    const [offset, first, second] = pair(row);
    const [even, odd] = [parts[row * 2] ?? left, parts[row * 2 + 1] ?? left];
    code.storeFirst(dx, { offset, count: first }, code.shuffle(even, odd, [0, 4, 1, 5]));
    if (second > 0) code.storeFirst(dx, { offset: offset + 16, count: second }, code.shuffle(even, odd, [2, 6, 3, 7]));
  }
}
