import type { Backend } from "../../backend.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { copyInto } from "../../graph/copy-into.ts";
import { differentiate } from "../../graph/differentiate.ts";
import { trainingForm } from "../../graph/training-form.ts";
import { activityPenalties } from "../../training/activity-penalties.ts";
import { isFrozen } from "../../models/freeze.ts";
import type { Model } from "../../models/model.ts";
import type { Value } from "../../operators/operator.ts";
import { tensor, toNumbers, type DType, type Tensor, type Tensors } from "../../tensor.ts";
import { fromKerasConfig, withKerasWeights } from "../keras/index.ts";

/** A tensor as the script writes it. */
export interface Packed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** One model of Keras: what it is, what it was given and what it made of it. */
export interface Golden {
  readonly name: string;
  readonly model: unknown;
  readonly weights: Readonly<Record<string, readonly Packed[]>>;
  readonly inputs: Readonly<Record<string, Packed>>;
  /** Of the outputs, where they have some. */
  readonly names: readonly string[];
  readonly outputs: readonly Packed[];
  readonly cotangents: readonly Packed[];
  readonly gradients: { readonly inputs: Readonly<Record<string, Packed>>; readonly weights: Readonly<Record<string, readonly (Packed | null)[]>> };
  /** What its layers' outputs cost, where some of them are penalised; the gradients are those of the cotangents' sum and this. */
  readonly penalty?: number;
  readonly training?: true;
  readonly after?: Readonly<Record<string, readonly Packed[]>>;
  readonly tolerance?: number;
}

/**
 * Runs a model of Keras and its gradients on a backend.
 *
 * @param options.tolerance of the largest element, at least 1
 * @returns what differs, in words; nothing when all agrees
 */
export async function differences(golden: Golden, backend: Backend, { tolerance }: { readonly tolerance: number }): Promise<readonly string[]> {
  const unequal = unequalBy(tolerance);
  const model = withKerasWeights(fromKerasConfig(golden.model), unpackAll(golden.weights));
  const graph = golden.training ? trainingForm(model.graph, { isFrozen: (name) => isFrozen(model, name) }) : model.graph;
  const builder = new GraphBuilder("golden");
  const outputs = copyInto(builder, graph);
  const names = golden.names.length > 0 ? golden.names : Object.keys(outputs);
  names.forEach((name) => builder.output(name, outputs[name]!));
  const parameters = graph.state.filter(({ name, role }) => role === "parameter" && !isFrozen(model, name)).map(({ name }) => builder.value(name));
  const inputs = Object.keys(golden.gradients.inputs).map((name) => builder.value(name));
  const parts = golden.cotangents.flatMap((cotangent, i): Value[] => {
    const output = outputs[names[i]!]!;
    const shape = cotangent.shape.map((size, axis) => (axis === 0 ? "batch" : size));
    const weights = builder.input(`cotangent${i}`, "float32", shape);
    return output.dtype === "float32" ? [builder.op("ReduceSum", [builder.op("Mul", [output, weights])], { keepdims: 0 })] : [];
  });
  const penalties = activityPenalties(builder);
  if (penalties.length > 0) {
    const penalty = penalties.reduce((a, b) => builder.op("Add", [a, b]));
    builder.output("penalty", penalty);
    parts.push(penalty);
  }
  if (parts.length > 0) {
    const loss = parts.reduce((a, b) => builder.op("Add", [a, b]));
    const wanted = [...inputs, ...parameters];
    differentiate(builder, loss, wanted).forEach((gradient, i) => builder.output(`gradient of ${wanted[i]!.name}`, gradient));
  }
  const executable = await backend.compile(builder.build(), { state: model.state });
  const found = await executable.run({
    ...unpackEach(golden.inputs),
    ...Object.fromEntries(golden.cotangents.map((cotangent, i) => [`cotangent${i}`, unpack(cotangent)])),
  });
  const wrong = golden.outputs.flatMap((expected, i) => unequal(found[names[i]!]!, unpack(expected), `output ${names[i]}`));
  if (golden.penalty !== undefined) wrong.push(...unequal(found["penalty"]!, tensor("float32", [], [golden.penalty]), "penalty"));
  else if (penalties.length > 0) wrong.push("penalty: Keras has none");
  for (const [name, expected] of Object.entries(golden.gradients.inputs))
    wrong.push(...unequal(found[`gradient of ${name}`]!, unpack(expected), `gradient of ${name}`));
  for (const [name, expected] of Object.entries(gradientsHere(model, golden)))
    wrong.push(...unequal(found[`gradient of ${name}`]!, expected, `gradient of ${name}`));
  if (golden.after) {
    const after = withKerasWeights(model, unpackAll(golden.after)).state;
    const statistics = graph.state.filter(({ role }) => role === "statistic").map(({ name }) => name);
    const read = await executable.readState(statistics);
    for (const name of statistics) wrong.push(...unequal(read[name]!, after[name]!, `${name} after a step`));
  }
  await executable.dispose();
  return wrong;
}

/** Keras's gradients as those of our parameters: laid out like weights. */
function gradientsHere(model: Model, { gradients, weights }: Golden): Tensors {
  const laid = Object.fromEntries(
    Object.entries(gradients.weights).map(([layer, list]) => [layer, list.map((gradient, i) => unpack(gradient ?? weights[layer]![i]!))]),
  );
  const state = withKerasWeights(model, laid).state;
  const trained = Object.entries(gradients.weights).flatMap(([layer, list]) => {
    return model.layers!.find((call) => call.name === layer)!.state.filter((_, i) => list[i] !== null);
  });
  return Object.fromEntries(trained.map((name) => [name, state[name]!]));
}

function unpack({ dtype, shape, data }: Packed): Tensor {
  return tensor((dtype.startsWith("float") ? "float32" : dtype) as DType, shape, data); // the script writes the types that there are
}

function unpackEach(all: Readonly<Record<string, Packed>>): Tensors {
  return Object.fromEntries(Object.entries(all).map(([name, packed]) => [name, unpack(packed)]));
}

function unpackAll(all: Readonly<Record<string, readonly Packed[]>>): Readonly<Record<string, readonly Tensor[]>> {
  return Object.fromEntries(Object.entries(all).map(([name, list]) => [name, list.map(unpack)]));
}

/** What is wrong with a tensor, in words; nothing when it agrees. */
function unequalBy(tolerance: number): (found: Tensor, expected: Tensor, what: string) => readonly string[] {
  return (found, expected, what) => {
    if (found.shape.join() !== expected.shape.join()) return [`${what} is [${found.shape.join()}], not [${expected.shape.join()}]`];
    const [a, b] = [toNumbers(found), toNumbers(expected)];
    const largest = Math.max(1, ...b.map(Math.abs));
    const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    return worst / largest < tolerance ? [] : [`${what} is ${a.slice(0, 6).join(", ")}, not ${b.slice(0, 6).join(", ")}`];
  };
}
