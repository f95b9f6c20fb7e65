import { slidingWindow, transposedWindow } from "../../../core/index.ts";
import type { Kernel, KernelContext } from "../kernel.ts";
import { elementCount } from "../../../core/index.ts";
import type { Shader } from "../wgsl.ts";
import { writeProduct, type Axis } from "./product.ts";

/** Convolutions over any number of spatial axes as products whose operands are read through the window: nothing is unfolded in memory. */
export const convKernels: Readonly<Record<string, Kernel>> = {
  Conv: conv,
  ConvInputGrad: (context) => {
    const input = context.attributes.ints("input_spatial");
    const [, , ...kernel] = context.input(1).shape;
    const window = slidingWindow(context.attributes, { kernel, input, fail: context.fail });
    writeInputGradient(context, { ...window, kernel, output: window.output, input });
  },
  /** The same sum as a convolution's gradient by its input, plus a bias. @see https://onnx.ai/onnx/operators/onnx__ConvTranspose.html */
  ConvTranspose: (context) => {
    const [, , ...output] = context.input(0).shape;
    const [, , ...kernel] = context.input(1).shape;
    const window = transposedWindow(context.attributes, { kernel, input: output, fail: context.fail });
    writeInputGradient(context, { ...window, kernel, output, input: window.output });
  },
  ConvWeightGrad: weightGradient,
};

/** A convolution's geometry: it slides over `input` and gives `output`. */
interface Geometry {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
}

/** @see https://onnx.ai/onnx/operators/onnx__Conv.html */
function conv(context: KernelContext): void {
  const group = context.attributes.int("group");
  const [x, w] = [context.input(0), context.input(1)];
  const [images = 1, channels = 1, ...input] = x.shape;
  const [filters = 1, depth = 1, ...kernel] = w.shape;
  const window = slidingWindow(context.attributes, { kernel, input, fail: context.fail });
  const perGroup = filters / group;
  const pixels = elementCount(window.output);
  const bias = context.optional(2);
  writeProduct(context, {
    z: [{ name: "g", size: group }],
    m: [{ name: "f", size: perGroup }],
    n: [{ name: "image", size: images }, ...axes("o", window.output)],
    k: [{ name: "c", size: depth }, ...axes("t", kernel)],
    a: (shader) => `return ${shader.bind(w.storage)}[${flat(["g", `${perGroup}`, "f"], ["c", depth], ["t", kernel])}];`,
    b: (shader) => readInput(shader.bind(x.storage), window, { channels, depth }),
    position: `((image * ${filters}u + g * ${perGroup}u + f) * ${pixels}u + ${row("o", window.output)})`,
    ...(bias && {
      finish: (shader: Shader, index: string, sum: string) => `${sum} + ${shader.bind(bias.storage)}[(${index} / ${pixels}u) % ${filters}u]`,
    }),
  });
}

/** dX from dY (or a transposed convolution's Y from X): each input element sums over the windows that see it. */
function writeInputGradient(context: KernelContext, geometry: Geometry): void {
  const { input, output, kernel } = geometry;
  const group = context.attributes.int("group");
  const [dy, w] = [context.input(0), context.input(1)];
  const [images = 1, filters = 1] = dy.shape;
  const [, depth = 1] = w.shape;
  const perGroup = filters / group;
  const pixels = elementCount(input);
  const bias = context.optional(2);
  writeProduct(context, {
    z: [{ name: "g", size: group }],
    m: [{ name: "c", size: depth }],
    n: [{ name: "image", size: images }, ...axes("p", input)],
    k: [{ name: "f", size: perGroup }, ...axes("t", kernel)],
    a: (shader) => `return ${shader.bind(w.storage)}[${flat(["g", `${perGroup}`, "f"], ["c", depth], ["t", kernel])}];`,
    b: (shader) =>
      [
        ...output.map((size, axis) => {
          const stride = geometry.strides[axis] ?? 1;
          const at = `let x${axis} = i32(p${axis}) + ${geometry.begin[axis] ?? 0}i - i32(t${axis}) * ${geometry.dilations[axis] ?? 1}i;`;
          const aligned = stride === 1 ? "" : ` || x${axis} % ${stride}i != 0i`;
          return `${at}\nlet o${axis} = u32(x${axis}${stride === 1 ? "" : ` / ${stride}i`});\nif (x${axis} < 0i${aligned} || o${axis} >= ${size}u) { return 0.0f; }`;
        }),
        `return ${shader.bind(dy.storage)}[(image * ${filters}u + g * ${perGroup}u + f) * ${elementCount(output)}u + ${row("o", output)}];`,
      ].join("\n"),
    position: `((image * ${depth * group}u + g * ${depth}u + c) * ${pixels}u + ${row("p", input)})`,
    ...(bias && {
      finish: (shader: Shader, index: string, sum: string) => `${sum} + ${shader.bind(bias.storage)}[(${index} / ${pixels}u) % ${depth * group}u]`,
    }),
  });
}

/** dW [M, C/group, ...kernel] from X and dY: a sum over images and output places. */
function weightGradient(context: KernelContext): void {
  const group = context.attributes.int("group");
  const [x, dy] = [context.input(0), context.input(1)];
  const [images = 1, channels = 1, ...input] = x.shape;
  const [, filters = 1] = dy.shape;
  const kernel = context.attributes.ints("kernel_shape");
  const window = slidingWindow(context.attributes, { kernel, input, fail: context.fail });
  const [perGroup, depth] = [filters / group, channels / group];
  writeProduct(context, {
    z: [{ name: "g", size: group }],
    m: [{ name: "f", size: perGroup }],
    n: [{ name: "c", size: depth }, ...axes("t", kernel)],
    k: [{ name: "image", size: images }, ...axes("o", window.output)],
    a: (shader) =>
      `return ${shader.bind(dy.storage)}[(image * ${filters}u + g * ${perGroup}u + f) * ${elementCount(window.output)}u + ${row("o", window.output)}];`,
    b: (shader) => readInput(shader.bind(x.storage), window, { channels, depth }),
    bAlongK: true,
    position: flat(["g", `${perGroup}`, "f"], ["c", depth], ["t", kernel]),
  });
}

function axes(name: string, sizes: readonly number[]): readonly Axis[] {
  return sizes.map((size, axis) => ({ name: `${name}${axis}`, size }));
}

/** WGSL: the row-major position within axes named `name0`, `name1`, ... */
function row(name: string, sizes: readonly number[]): string {
  return sizes.reduce((position, size, axis) => (axis === 0 ? `${name}0` : `(${position}) * ${size}u + ${name}${axis}`), "0u");
}

/** WGSL: the position in a weight [groups * perGroup, depth, ...kernel]. */
function flat(
  [group, perGroup, filter]: readonly [string, string, string],
  [c, depth]: readonly [string, number],
  [t, kernel]: readonly [string, readonly number[]],
): string {
  return `((${group} * ${perGroup}u + ${filter}) * ${depth}u + ${c}) * ${elementCount(kernel)}u + ${row(t, kernel)}`;
}

/** WGSL: the input element that tap t of the window at output place o sees, 0 in the padding. */
function readInput(
  name: string,
  { input, strides, dilations, begin }: Geometry,
  { channels, depth }: { readonly channels: number; readonly depth: number },
): string {
  return [
    ...input.map(
      (size, axis) =>
        `let p${axis} = o${axis} * ${strides[axis] ?? 1}u + t${axis} * ${dilations[axis] ?? 1}u - ${begin[axis] ?? 0}u;\nif (p${axis} >= ${size}u) { return 0.0f; }`,
    ),
    `return ${name}[(image * ${channels}u + g * ${depth}u + c) * ${elementCount(input)}u + ${row("p", input)}];`,
  ].join("\n");
}
