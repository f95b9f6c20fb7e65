import { elementCount } from "../../../core/index.ts";
import { dispatchShader, type Kernel, type KernelContext } from "../kernel.ts";
import type { Storage, View } from "../storage.ts";
import { flatLoop, Shader } from "../wgsl.ts";
import { exponentialMinusOne } from "./exponential-minus-one.ts";
import { lineKernel } from "./line.ts";
import { logTotalOfLine } from "./softmax.ts";

/** Cross-entropy of scores [n, classes, ...] against labels [n, ...], and its gradient by the scores. */
export const crossEntropyKernels: Readonly<Record<string, Kernel>> = { SoftmaxCrossEntropyLoss: loss, SoftmaxCrossEntropyLossGrad: lossGradient };

interface Labels {
  readonly labels: View;
  readonly weights: View | undefined;
  readonly classes: number;
}

/** WGSL that names an item's `label` (0 where it is ignored) and its `weight`; a label outside the classes is a fault. */
function readLabel(context: KernelContext, shader: Shader, { labels, weights, classes }: Labels, item: string): string {
  const { attributes } = context;
  const ignored = attributes.has("ignore_index") ? `given == ${attributes.int("ignore_index")}i` : "false";
  const report = context.fault(shader, "given", (value) => `label ${value} is outside the ${classes} classes`);
  return [
    `let given = ${shader.bind(labels.storage)}[${item}];`,
    `let ignored = ${ignored};`,
    `if (!ignored && (given < 0i || given >= ${classes}i)) { ${report} }`,
    `let label = select(u32(clamp(given, 0i, ${classes - 1}i)), 0u, ignored);`,
    `let weight = select(${weights ? `${shader.bind(weights.storage)}[label]` : "1.0f"}, 0.0f, ignored);`,
  ].join("\n");
}

/** @see https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html */
function loss(context: KernelContext): void {
  const [scores, labels] = [context.input(0), context.input(1)];
  const [, classes = 1] = scores.shape;
  const inner = elementCount(scores.shape.slice(2));
  const items = elementCount(labels.shape);
  const reduction = context.attributes.string("reduction");
  const logProbability = context.outputCount > 1 ? context.output(1) : undefined;
  const losses = reduction === "none" ? context.output(0).storage : context.temporary("f32", items);
  const itemWeights = reduction === "mean" ? context.temporary("f32", items) : undefined;

  const kernel = lineKernel(context.tuning, { lines: items, length: classes });
  const shader = new Shader();
  const source = shader.bind(scores.storage);
  const body = [
    kernel.prologue,
    `let first = (line / ${inner}u) * ${classes * inner}u + line % ${inner}u;`,
    logTotalOfLine(shader, kernel, { source: `${source}[first + k * ${inner}u]`, start: `${source}[first]` }),
    ...(logProbability
      ? [kernel.each(`let at = first + k * ${inner}u;\n${shader.bind(logProbability.storage)}[at] = ${source}[at] - largest - logTotal;`)]
      : []),
    kernel.once(
      [
        readLabel(context, shader, { labels, weights: context.optional(2), classes }, "line"),
        `${shader.bind(losses)}[line] = -weight * (${source}[first + label * ${inner}u] - largest - logTotal);`,
        itemWeights ? `${shader.bind(itemWeights)}[line] = weight;` : "",
      ].join("\n"),
    ),
  ].join("\n");
  dispatchShader(context, shader, { body, workgroups: kernel.workgroups, width: kernel.width });
  if (reduction !== "none") writeTotal(context, { losses, itemWeights, items });
}

function writeTotal(
  context: KernelContext,
  { losses, itemWeights, items }: { readonly losses: Storage; readonly itemWeights: Storage | undefined; readonly items: number },
): void {
  const kernel = lineKernel(context.tuning, { lines: 1, length: items });
  const shader = new Shader();
  const add = (a: string, b: string): string => `${a} + ${b}`;
  const body = [
    kernel.prologue,
    "var total = 0.0f;\nvar weight = 0.0f;",
    kernel.each(`total += ${shader.bind(losses)}[k];\n${itemWeights ? `weight += ${shader.bind(itemWeights)}[k];` : ""}`),
    kernel.combine(shader, "total", "f32", add),
    kernel.combine(shader, "weight", "f32", add),
    kernel.once(`${shader.bind(context.output(0).storage)}[0] = total${itemWeights ? " / weight" : ""};`),
  ].join("\n");
  dispatchShader(context, shader, { body, workgroups: kernel.workgroups, width: kernel.width, part: " (total)" });
}

/** (softmax - one-hot) times each label's weight; over the sum of the weights for "mean". Inputs: log-probabilities, labels, dLoss, weights. */
function lossGradient(context: KernelContext): void {
  const [logProbability, labels, dLoss] = [context.input(0), context.input(1), context.input(2)];
  const [, classes = 1] = logProbability.shape;
  const inner = elementCount(logProbability.shape.slice(2));
  const items = elementCount(labels.shape);
  const reduction = context.attributes.string("reduction");
  const weights = context.optional(3);
  const weighted = weights !== undefined || context.attributes.has("ignore_index");
  const total = reduction === "mean" && weighted ? context.temporary("f32", 1) : undefined;
  if (total) writeWeightTotal(context, { labels, weights, classes }, total);

  const shader = new Shader();
  shader.define(exponentialMinusOne);
  const divisor = total ? ` / ${shader.bind(total)}[0]` : reduction === "mean" ? ` / ${items}.0f` : "";
  const { body, workgroups } = flatLoop(
    elementCount(logProbability.shape),
    [
      `let item = (i / ${classes * inner}u) * ${inner}u + i % ${inner}u;`,
      `let k = (i / ${inner}u) % ${classes}u;`,
      readLabel(context, shader, { labels, weights, classes }, "item"),
      `let scale = weight * ${shader.bind(dLoss.storage)}[${reduction === "none" ? "item" : "0"}]${divisor};`,
      `let logged = ${shader.bind(logProbability.storage)}[i];`,
      `${shader.bind(context.output(0).storage)}[i] = scale * select(exp(logged), exponentialMinusOne(logged), k == label);`,
    ].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups });
}

function writeWeightTotal(context: KernelContext, labels: Labels, total: Storage): void {
  const kernel = lineKernel(context.tuning, { lines: 1, length: elementCount(labels.labels.shape) });
  const shader = new Shader();
  const body = [
    kernel.prologue,
    "var sum = 0.0f;",
    kernel.each(`${readLabel(context, shader, labels, "k")}\nsum += weight;`),
    kernel.combine(shader, "sum", "f32", (a, b) => `${a} + ${b}`),
    kernel.once(`${shader.bind(total)}[0] = sum;`),
  ].join("\n");
  dispatchShader(context, shader, { body, workgroups: kernel.workgroups, width: kernel.width, part: " (weights)" });
}
