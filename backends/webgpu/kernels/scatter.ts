import { elementCount } from "../../../core/index.ts";
import { dispatchShader, positiveAxis, type Kernel, type KernelContext } from "../kernel.ts";
import { denseStrides, flatLoop, Shader } from "../wgsl.ts";

/**
 * Operators that add at places given by an input. WebGPU has no atomic addition of floats, and its order would differ from run to run:
 * every element of the result searches the list of places instead.
 */
export const scatterKernels: Readonly<Record<string, Kernel>> = { GatherGrad: gatherGradient, ScatterND: scatterNd };

/** dY added up at the places that Gather read. */
function gatherGradient(context: KernelContext): void {
  const [data, indices, dy, dx] = [context.input(0), context.input(1), context.input(2), context.output(0)];
  const axis = positiveAxis(context.attributes.int("axis"), data.shape.length);
  const size = data.shape[axis] ?? 1;
  const inner = elementCount(data.shape.slice(axis + 1));
  const count = elementCount(indices.shape);
  const shader = new Shader();
  const report = context.fault(shader, "given", (value) => `index ${value} is outside an axis of size ${size}`);
  const { body, workgroups } = flatLoop(
    elementCount(data.shape),
    [
      `let own = i32((i / ${inner}u) % ${size}u);`,
      `let first = (i / ${inner * size}u) * ${count * inner}u + i % ${inner}u;`,
      "var sum = 0.0f;",
      `for (var k = 0u; k < ${count}u; k++) {`,
      `let given = ${shader.bind(indices.storage)}[k];`,
      `if (given < ${-size}i || given >= ${size}i) { ${report} }`,
      `if (given == own || given + ${size}i == own) { sum += ${shader.bind(dy.storage)}[first + k * ${inner}u]; }`,
      "}",
      `${shader.bind(dx.storage)}[i] = sum;`,
    ].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups });
}

/** WGSL: how an update joins the value that is there. */
const joins: Readonly<Record<string, (update: string) => string>> = {
  none: (update) => update,
  add: (update) => `value + ${update}`,
  mul: (update) => `value * ${update}`,
  min: (update) => `min(value, ${update})`,
  max: (update) => `max(value, ${update})`,
};

/** @see https://onnx.ai/onnx/operators/onnx__ScatterND.html */
function scatterNd(context: KernelContext): void {
  const [data, indices, updates, output] = [context.input(0), context.input(1), context.input(2), context.output(0)];
  const join = joins[context.attributes.string("reduction")] ?? context.fail("has no such reduction");
  const depth = indices.shape.at(-1) ?? 1;
  const rows = elementCount(indices.shape) / depth;
  const block = elementCount(data.shape.slice(depth));
  const strides = denseStrides(data.shape.slice(0, depth));
  const shader = new Shader();
  const places = Array.from({ length: depth }, (_, axis) => {
    const size = data.shape[axis] ?? 1;
    const report = context.fault(shader, `given${axis}`, (value) => `index ${value} is outside an axis of size ${size}`);
    return [
      `let given${axis} = ${shader.bind(indices.storage)}[row * ${depth}u + ${axis}u];`,
      `if (given${axis} < ${-size}i || given${axis} >= ${size}i) { ${report} }`,
      `at += select(given${axis}, given${axis} + ${size}i, given${axis} < 0i) * ${strides[axis] ?? 1}i;`,
    ].join("\n");
  });
  const { body, workgroups } = flatLoop(
    elementCount(data.shape),
    [
      `let own = i32(i / ${block}u);`,
      `var value = ${shader.bind(data.storage)}[i];`,
      `for (var row = 0u; row < ${rows}u; row++) {\nvar at = 0i;`,
      ...places,
      `if (at == own) { value = ${join(`${shader.bind(updates.storage)}[row * ${block}u + i % ${block}u]`)}; }`,
      "}",
      `${shader.bind(output.storage)}[i] = value;`,
    ].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups });
}
