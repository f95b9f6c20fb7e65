import { elementCount } from "../../../core/index.ts";
import { dispatchShader, positiveAxis, type Kernel, type KernelContext } from "../kernel.ts";
import { Shader } from "../wgsl.ts";
import { lineKernel, type LineKernel } from "./line.ts";
import { logOnePlus } from "./log-one-plus.ts";

/** Softmax along an axis, each line centred at its maximum. */
export const softmaxKernels: Readonly<Record<string, Kernel>> = {
  Softmax: (context) => normalize(context, { element: (shifted) => `exp(${shifted}) / (1.0f + others)` }),
  LogSoftmax: (context) => normalize(context, { element: (shifted) => `${shifted} - logTotal` }),
};

function normalize(context: KernelContext, { element }: { readonly element: (shifted: string) => string }): void {
  const [x, y] = [context.input(0), context.output(0)];
  const axis = positiveAxis(context.attributes.int("axis"), x.shape.length);
  const size = x.shape[axis] ?? 1;
  const inner = elementCount(x.shape.slice(axis + 1));
  const kernel = lineKernel(context.tuning, { lines: elementCount(x.shape) / size, length: size });
  const shader = new Shader();
  const place = `first + k * ${inner}u`;
  const source = `${shader.bind(x.storage)}[${place}]`;
  const body = [
    kernel.prologue,
    `let first = (line / ${inner}u) * ${size * inner}u + line % ${inner}u;`,
    logTotalOfLine(shader, kernel, { source, start: `${shader.bind(x.storage)}[first]` }),
    kernel.each(`${shader.bind(y.storage)}[${place}] = ${element(`(${source} - largest)`)};`),
  ].join("\n");
  dispatchShader(context, shader, { body, workgroups: kernel.workgroups, width: kernel.width });
}

/**
 * WGSL that names a line's `largest` element, the sum `others` of the exponentials of all but one largest, centred, and `logTotal`, the
 * logarithm of the whole sum. The 1 that the largest counts is left out of the sum: beside it, what the others add would lose its digits.
 *
 * @param line the line's elements by `k`, and one of them to start from (WGSL)
 */
export function logTotalOfLine(shader: Shader, kernel: LineKernel, { source, start }: { readonly source: string; readonly start: string }): string {
  const add = (a: string, b: string): string => `${a} + ${b}`;
  shader.define(logOnePlus);
  return [
    `var largest = ${start};`,
    kernel.each(`largest = max(largest, ${source});`),
    kernel.combine(shader, "largest", "f32", (a, b) => `max(${a}, ${b})`),
    "var smaller = 0.0f;\nvar ties = 0.0f;",
    kernel.each(`let shifted = ${source} - largest;\nif (shifted == 0.0f) { ties += 1.0f; } else { smaller += exp(shifted); }`),
    kernel.combine(shader, "smaller", "f32", add),
    kernel.combine(shader, "ties", "f32", add),
    "let others = smaller + (ties - 1.0f);\nlet logTotal = logOnePlus(others);",
  ].join("\n");
}
