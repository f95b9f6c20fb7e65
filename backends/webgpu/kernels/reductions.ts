import { elementCount, toNumbers } from "../../../core/index.ts";
import { dispatchShader, positiveAxis, type Kernel, type KernelContext } from "../kernel.ts";
import { scalarOf, sizeOf } from "../storage.ts";
import { denseStrides, Shader, stridedIndex } from "../wgsl.ts";
import { lineKernel } from "./line.ts";

/** Reductions over any axes. */
export const reductionKernels: Readonly<Record<string, Kernel>> = {
  ReduceSum: (context) => reduce(context, { fold: add, zero: true }),
  ReduceMean: (context) => reduce(context, { fold: add, zero: true, finish: divide }),
  ReduceMax: (context) => reduce(context, { fold: (a, b) => `max(${a}, ${b})` }),
  ReduceMin: (context) => reduce(context, { fold: (a, b) => `min(${a}, ${b})` }),
  GlobalAveragePool: (context) => {
    const spatial = [...context.input(0).shape.keys()].slice(2);
    reduce(context, { fold: add, zero: true, finish: divide, axes: spatial });
  },
  ArgMax: argMax,
};

interface Reduction {
  /** Whether the fold starts at 0; else at the first element, so that infinities come through. */
  readonly zero?: boolean;
  readonly fold: (a: string, b: string) => string;
  readonly finish?: (value: string, count: number) => string;
  readonly axes?: readonly number[];
}

function add(a: string, b: string): string {
  return `${a} + ${b}`;
}

function divide(sum: string, count: number): string {
  return `${sum} / ${count}.0f`;
}

function reduce(context: KernelContext, { fold, finish, zero = false, axes = axesOf(context) }: Reduction): void {
  const [x, y] = [context.input(0), context.output(0)];
  const scalar = scalarOf(x.dtype) ?? context.fail(`has no reduction of ${x.dtype}`);
  const dense = denseStrides(x.shape);
  const pick = (reduced: boolean): { shape: readonly number[]; strides: readonly number[] } => {
    const chosen = [...x.shape.keys()].filter((axis) => axes.includes(axis) === reduced);
    return { shape: chosen.map((axis) => x.shape[axis] ?? 1), strides: chosen.map((axis) => dense[axis] ?? 0) };
  };
  const [kept, reduced] = [pick(false), pick(true)];
  const count = elementCount(reduced.shape);
  if (count === 0 && !zero) context.fail("reduces an axis of size 0: there is no largest and no smallest of no elements");
  const kernel = lineKernel(context.tuning, { lines: sizeOf(y), length: count });
  const shader = new Shader();
  const source = shader.bind(x.storage);
  const element = (k: string): string => (count === 0 ? `${scalar}(0)` : `${source}[first + ${stridedIndex(k, reduced)}]`);
  const result = finish ? finish("value", count) : "value";
  const body = [
    kernel.prologue,
    `let first = ${stridedIndex("line", kept)};`,
    `var value = ${zero ? `${scalar}(0)` : element(kernel.firstElement)};`,
    kernel.each(`value = ${fold("value", element("k"))};`),
    kernel.combine(shader, "value", scalar, fold),
    kernel.once(`${shader.bind(y.storage)}[line] = ${x.dtype === "uint8" ? `(${result}) & 255u` : result};`),
  ].join("\n");
  dispatchShader(context, shader, { body, workgroups: kernel.workgroups, width: kernel.width });
}

function axesOf(context: KernelContext): readonly number[] {
  const rank = context.input(0).shape.length;
  const given = context.optional(1);
  const constant = given && (given.constant ?? context.fail("its axes must be known when the graph is compiled"));
  const axes = constant ? toNumbers(constant).map((axis) => positiveAxis(axis, rank)) : [];
  if (axes.length > 0) return axes;
  return context.attributes.int("noop_with_empty_axes") === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** @see https://onnx.ai/onnx/operators/onnx__ArgMax.html */
function argMax(context: KernelContext): void {
  const [x, y] = [context.input(0), context.output(0)];
  const axis = positiveAxis(context.attributes.int("axis"), x.shape.length);
  const size = x.shape[axis] ?? 1;
  const inner = elementCount(x.shape.slice(axis + 1));
  const kernel = lineKernel(context.tuning, { lines: sizeOf(y), length: 1 });
  const shader = new Shader();
  const source = shader.bind(x.storage);
  const better = context.attributes.int("select_last_index") === 1 ? ">=" : ">";
  const body = [
    kernel.prologue,
    `let first = (line / ${inner}u) * ${size * inner}u + line % ${inner}u;`,
    `var best = ${source}[first];\nvar place = 0i;`,
    `for (var k = 1u; k < ${size}u; k++) {\nlet element = ${source}[first + k * ${inner}u];`,
    `if (element ${better} best) { best = element; place = i32(k); }\n}`,
    `${shader.bind(y.storage)}[line] = place;`,
  ].join("\n");
  dispatchShader(context, shader, { body, workgroups: kernel.workgroups, width: kernel.width });
}
