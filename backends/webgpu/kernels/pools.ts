import { elementCount, slidingWindow, windowCounts, type SlidingWindow } from "../../../core/index.ts";
import { dispatchShader, type Kernel, type KernelContext } from "../kernel.ts";
import { sizeOf } from "../storage.ts";
import { flatLoop, Shader } from "../wgsl.ts";

/** Pools over any number of spatial axes, and their gradients, which gather: every element sums over the windows that see it. */
export const poolKernels: Readonly<Record<string, Kernel>> = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGradient,
  AveragePool: averagePool,
  AveragePoolGrad: averagePoolGradient,
};

/** @see https://onnx.ai/onnx/operators/onnx__MaxPool.html */
function maxPool(context: KernelContext): void {
  const [x, y] = [context.input(0), context.output(0)];
  const window = windowOf(context, x.shape.slice(2));
  const shader = new Shader();
  const source = shader.bind(x.storage);
  const { body, workgroups } = flatLoop(
    sizeOf(y),
    [
      `let first = (i / ${elementCount(window.output)}u) * ${elementCount(window.input)}u;`,
      split("o", "i", window.output),
      "var largest = 0.0f;\nvar found = false;",
      eachTap(
        window,
        `let element = ${source}[first + ${row("p", window.input)}];\nif (!found || element > largest) { largest = element; found = true; }`,
      ),
      // A window that lies in the padding alone has no largest element: -1 / 0, by numbers that the compiler does not know.
      `if (!found) { largest = -1.0f / largest; }`,
      `${shader.bind(y.storage)}[i] = largest;`,
    ].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups });
}

/** The first largest element of each window, in row-major order, takes all of its gradient. */
function maxPoolGradient(context: KernelContext): void {
  const [x, y, dy, dx] = [context.input(0), context.input(1), context.input(2), context.output(0)];
  const window = windowOf(context, x.shape.slice(2));
  const shader = new Shader();
  const source = shader.bind(x.storage);
  // Most elements are not the largest of their window; only for one that is, it is asked whether an equal one comes before it.
  const search = [
    `if (${source}[i] == ${shader.bind(y.storage)}[place]) {`,
    "var isFirst = true;",
    window.kernel.map((size, axis) => `for (var s${axis} = 0u; s${axis} < ${size}u && isFirst; s${axis}++) {`).join("\n"),
    ...window.kernel.map(
      (_, axis) => `let q${axis} = o${axis} * ${window.strides[axis]}u + s${axis} * ${window.dilations[axis]}u - ${window.begin[axis]}u;`,
    ),
    `let other = ${row("q", window.input)};`,
    `if (${window.input.map((size, axis) => `q${axis} < ${size}u`).join(" && ")} && other < own && ${source}[first + other] == ${source}[i]) { isFirst = false; }`,
    "}".repeat(window.kernel.length),
    `if (isFirst) { sum += ${shader.bind(dy.storage)}[place]; }`,
    "}",
  ].join("\n");
  const { body, workgroups } = flatLoop(
    sizeOf(dx),
    [
      `let plane = i / ${elementCount(window.input)}u;\nlet own = i % ${elementCount(window.input)}u;`,
      `let first = plane * ${elementCount(window.input)}u;`,
      split("p", "i", window.input),
      "var sum = 0.0f;",
      eachWindow(window, search),
      `${shader.bind(dx.storage)}[i] = sum;`,
    ].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups });
}

/** @see https://onnx.ai/onnx/operators/onnx__AveragePool.html */
function averagePool(context: KernelContext): void {
  const [x, y] = [context.input(0), context.output(0)];
  const window = windowOf(context, x.shape.slice(2));
  const shader = new Shader();
  const shares = shader.bind(context.table(sharesOf(context, window)));
  const { body, workgroups } = flatLoop(
    sizeOf(y),
    [
      `let first = (i / ${elementCount(window.output)}u) * ${elementCount(window.input)}u;`,
      split("o", "i", window.output),
      "var sum = 0.0f;",
      eachTap(window, `sum += ${shader.bind(x.storage)}[first + ${row("p", window.input)}];`),
      `${shader.bind(y.storage)}[i] = sum * ${shares}[${row("o", window.output)}];`,
    ].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups });
}

function averagePoolGradient(context: KernelContext): void {
  const [dy, dx] = [context.input(0), context.output(0)];
  const window = windowOf(context, context.attributes.ints("input_spatial"));
  const shader = new Shader();
  const shares = shader.bind(context.table(sharesOf(context, window)));
  const { body, workgroups } = flatLoop(
    sizeOf(dx),
    [
      `let plane = i / ${elementCount(window.input)}u;`,
      split("p", "i", window.input),
      "var sum = 0.0f;",
      eachWindow(window, `sum += ${shader.bind(dy.storage)}[place] * ${shares}[${row("o", window.output)}];`),
      `${shader.bind(dx.storage)}[i] = sum;`,
    ].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups });
}

function windowOf({ attributes, fail }: KernelContext, input: readonly number[]): SlidingWindow {
  return slidingWindow(attributes, { kernel: attributes.ints("kernel_shape"), input, fail });
}

/** One over the number of elements of every window; a window of none counts as 1. */
function sharesOf({ attributes }: KernelContext, window: SlidingWindow): Float32Array<ArrayBuffer> {
  const counts = windowCounts(window, { includePad: attributes.int("count_include_pad") === 1 });
  const products = counts.reduce<readonly number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]);
  return Float32Array.from(products, (count) => 1 / Math.max(1, count));
}

/** WGSL: coordinates `name0`, `name1`, ... of a flat index whose fastest axes have these sizes. */
function split(name: string, index: string, sizes: readonly number[]): string {
  return sizes.map((size, axis) => `let ${name}${axis} = (${index} / ${elementCount(sizes.slice(axis + 1))}u) % ${size}u;`).join("\n");
}

function row(name: string, sizes: readonly number[]): string {
  return sizes.reduce((position, size, axis) => (axis === 0 ? `${name}0` : `(${position}) * ${size}u + ${name}${axis}`), "0u");
}

/** WGSL: a body for every input element `p0, p1, ...` of the window at `o0, o1, ...`, in row-major order. */
function eachTap({ input, kernel, strides, dilations, begin }: SlidingWindow, body: string): string {
  const open = kernel.map(
    (size, axis) =>
      `for (var t${axis} = 0u; t${axis} < ${size}u; t${axis}++) {\n` +
      `let p${axis} = o${axis} * ${strides[axis]}u + t${axis} * ${dilations[axis]}u - ${begin[axis]}u;\nif (p${axis} >= ${input[axis]}u) { continue; }`,
  );
  return `${open.join("\n")}\n${body}\n${"}".repeat(kernel.length)}`;
}

/** WGSL: a body for every window `o0, o1, ...` that sees the element `p0, p1, ...`; `place` is the window's flat position. */
function eachWindow(window: SlidingWindow, body: string): string {
  const { output, kernel } = window;
  const open = kernel.map((_, axis) => windowsOfAxis(window, axis));
  return `${open.join("\n")}\nlet place = plane * ${elementCount(output)}u + ${row("o", output)};\n${body}\n${"}".repeat(kernel.length)}`;
}

/** WGSL: the head of a loop over the windows of one axis that see an element: from the first to the last, or by the taps where there are gaps. */
function windowsOfAxis({ output, kernel, strides, dilations, begin }: SlidingWindow, axis: number): string {
  const [size = 1, stride = 1, dilation = 1, before = 0, places = 1] = [kernel[axis], strides[axis], dilations[axis], begin[axis], output[axis]];
  if (dilation === 1) {
    const first = `select((p${axis} + ${before}u - ${size}u) / ${stride}u + 1u, 0u, p${axis} + ${before}u < ${size}u)`;
    return `for (var o${axis} = ${first}; o${axis} <= min((p${axis} + ${before}u) / ${stride}u, ${places - 1}u); o${axis}++) {`;
  }
  return [
    `for (var t${axis} = 0u; t${axis} < ${size}u; t${axis}++) {`,
    `let x${axis} = i32(p${axis}) + ${before}i - i32(t${axis}) * ${dilation}i;`,
    `if (x${axis} < 0i || x${axis} % ${stride}i != 0i) { continue; }`,
    `let o${axis} = u32(x${axis} / ${stride}i);`,
    `if (o${axis} >= ${places}u) { continue; }`,
  ].join("\n");
}
