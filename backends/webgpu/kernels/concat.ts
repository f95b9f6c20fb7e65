import { elementCount } from "../../../core/index.ts";
import { dispatchShader, positiveAxis, type Kernel, type KernelContext } from "../kernel.ts";
import type { View } from "../storage.ts";
import { flatLoop, Shader } from "../wgsl.ts";

/** Values laid end to end: as many in one dispatch as it can bind. */
export const concatKernels: Readonly<Record<string, Kernel>> = { Concat: concat };

/** @see https://onnx.ai/onnx/operators/onnx__Concat.html */
function concat(context: KernelContext): void {
  const output = context.output(0);
  const axis = positiveAxis(context.attributes.int("axis"), output.shape.length);
  const inputs = Array.from({ length: context.inputCount }, (_, i) => context.input(i)).filter((view) => elementCount(view.shape) > 0);
  const total = elementCount(output.shape.slice(axis));
  const rows = elementCount(output.shape.slice(0, axis));
  const most = context.tuning.maxBindings - 1;
  let start = 0;
  for (let first = 0; first < inputs.length; first += most) {
    start = copyRows(context, inputs.slice(first, first + most), { axis, rows, total, start });
  }
}

function copyRows(
  context: KernelContext,
  inputs: readonly View[],
  { axis, rows, total, start }: { readonly axis: number; readonly rows: number; readonly total: number; readonly start: number },
): number {
  const shader = new Shader();
  const target = shader.bind(context.output(0).storage);
  const widths = inputs.map((view) => elementCount(view.shape.slice(axis)));
  const width = widths.reduce((a, b) => a + b, 0);
  let before = 0;
  const branches = inputs.map((view, i) => {
    const from = before;
    before += widths[i] ?? 0;
    const copy = `${target}[place] = ${shader.bind(view.storage)}[row * ${widths[i]}u + column - ${from}u];`;
    return i === inputs.length - 1 ? `{ ${copy} }` : `if (column < ${before}u) { ${copy} }`;
  });
  const { body, workgroups } = flatLoop(
    rows * width,
    [`let row = i / ${width}u;\nlet column = i % ${width}u;\nlet place = row * ${total}u + ${start}u + column;`, branches.join(" else ")].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups, part: start === 0 ? "" : ` (from ${start})` });
  return start + width;
}
