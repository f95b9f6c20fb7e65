import { afterAll, expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { linear } from "../../models/linear.ts";
import { scalar, tensor, toNumbers } from "../../tensor.ts";
import { meanSquaredError } from "../losses/index.ts";
import type { Graph } from "../../graph/graph.ts";
import {
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamW,
  averagedWeights,
  ftrl,
  lamb,
  lion,
  muon,
  nadam,
  rmsProp,
  sgd,
  type AdamOptions,
  type FtrlOptions,
  type Optimizer,
  type OptimizerOptions,
  type SgdOptions,
} from "./index.ts";
import { maxNorm } from "../constraint.ts";
import { createTrainingGraph, type TrainableModel } from "../training-graph.ts";

const backend = openReference();
afterAll(() => backend.dispose());

const x = [0.5, -1.5, 2, 1];
const y = [1, -2, 3, 0.5];

interface Run {
  readonly weights: number[][];
  readonly losses: number[];
}

/** The kernel and bias after each of some steps of the training graph; and its losses. */
async function steps(optimizer: Optimizer, count: number, learningRate: number): Promise<Run> {
  const model = linear({ width: 1, head: { task: "regression" } });
  const executable = await backend.compile(createTrainingGraph(model, { loss: meanSquaredError(), optimizer }), { state: model.state });
  const weights: number[][] = [];
  const losses: number[] = [];
  for (let step = 1; step <= count; step++) {
    const outputs = await executable.run({
      features: tensor("float32", [4, 1], x),
      labels: tensor("float32", [4, 1], y),
      learning_rate: scalar(learningRate),
      step: scalar(step, "int64"),
    });
    losses.push(Number(outputs["loss"]!.data[0]));
    const state = await executable.readState(["dense/kernel", "dense/bias"]);
    weights.push([...toNumbers(state["dense/kernel"]!), ...toNumbers(state["dense/bias"]!)]);
  }
  await executable.dispose();
  return { weights, losses };
}

/** The same line fitted by the papers' update rules in float64. `update` gets a parameter's place, its gradient with decay, and the step. */
function byHand(count: number, decay: number, update: (place: number, gradient: number, step: number) => number): Run {
  const parameters = [0, 0];
  const weights: number[][] = [];
  const losses: number[] = [];
  for (let step = 1; step <= count; step++) {
    const errors = x.map((value, i) => parameters[0]! * value + parameters[1]! - y[i]!);
    losses.push(errors.reduce((sum, error) => sum + error * error, 0) / 4);
    const gradients = [errors.reduce((sum, error, i) => sum + 2 * error * x[i]!, 0) / 4, errors.reduce((sum, error) => sum + 2 * error, 0) / 4];
    gradients.forEach((gradient, i) => (parameters[i]! += update(i, gradient + decay * parameters[i]!, step)));
    weights.push([...parameters]);
  }
  return { weights, losses };
}

/** The largest difference of two runs, over losses and weights. */
function difference(found: Run, expected: Run): number {
  const all = ({ losses, weights }: Run): number[] => [...losses, ...weights.flat()];
  return Math.max(...all(found).map((value, i) => Math.abs(value - all(expected)[i]!)));
}

/** float32 against float64 over at most 20 steps of values near 1. */
const tolerance = 5e-6;

test.each([0, 0.1])("adam follows the paper's algorithm, with weight decay %d added to the gradient", async (weightDecay) => {
  const [beta1, beta2, rate, epsilon] = [0.8, 0.95, 0.05, 1e-7];
  const mean = [0, 0];
  const square = [0, 0];
  const expected = byHand(20, weightDecay, (i, gradient, step) => {
    mean[i] = beta1 * mean[i]! + (1 - beta1) * gradient;
    square[i] = beta2 * square[i]! + (1 - beta2) * gradient ** 2;
    const [m, v] = [mean[i] / (1 - beta1 ** step), square[i] / (1 - beta2 ** step)];
    return (-rate * m) / (Math.sqrt(v) + epsilon);
  });
  expect(difference(await steps(adam({ beta1, beta2, weightDecay }), 20, rate), expected)).toBeLessThan(tolerance);
});

test.each([0, 0.9])("sgd with momentum %d follows v = momentum v + g, x = x - rate v", async (momentum) => {
  const velocity = [0, 0];
  const expected = byHand(15, 0, (i, gradient) => {
    velocity[i] = momentum * velocity[i]! + gradient;
    return -0.05 * velocity[i];
  });
  expect(difference(await steps(sgd({ momentum }), 15, 0.05), expected)).toBeLessThan(tolerance);
});

test("nesterov looks ahead: x = x - rate (g + momentum v)", async () => {
  const velocity = [0, 0];
  const expected = byHand(15, 0.01, (i, gradient) => {
    velocity[i] = 0.9 * velocity[i]! + gradient;
    return -0.05 * (gradient + 0.9 * velocity[i]);
  });
  expect(difference(await steps(sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.01 }), 15, 0.05), expected)).toBeLessThan(tolerance);
});

test("the training graph has the agreed names, one optimizer node, slots beside the parameters, and the model's output", () => {
  const model = linear({ width: 3, head: { task: "regression" } });
  const graph = createTrainingGraph(model, { loss: meanSquaredError(), optimizer: adam() });
  expect(graph.inputs.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(", ")}]`)).toEqual([
    "features float32 [batch, 3]",
    "labels float32 [batch, 1]",
    "learning_rate float32 []",
    "step int64 []",
  ]);
  expect(Object.keys(graph.outputs).toSorted()).toEqual(["loss", "prediction"]);
  expect(graph.nodes.filter(({ operator }) => operator === "Adam")).toHaveLength(1);
  const slots = ["adam/v/dense/kernel", "adam/v/dense/bias", "adam/h/dense/kernel", "adam/h/dense/bias"];
  expect(graph.state.filter(({ role }) => role === "slot").map(({ name }) => name)).toEqual(slots);
  expect(Object.keys(graph.updates).toSorted()).toEqual([...slots, "dense/kernel", "dense/bias"].toSorted());
});

test.each([
  [() => adam({ learningRate: -1 }), "adam: learningRate must be a number from 0, not -1"],
  [() => adam({ beta1: 1 }), "adam: beta1 must be a number from 0 to below 1, not 1"],
  [() => adam({ weightDecay: Number.NaN }), "adam: weightDecay must be a number from 0, not NaN"],
  [() => sgd({ momentum: 1.5 }), "sgd: momentum must be a number from 0 to below 1, not 1.5"],
])("an argument out of range is refused (%#)", (make, message) => {
  expect(make).toThrow(message);
});

test("a group that matches nothing is refused with the nearest name", () => {
  const model = linear({ width: 3, head: { task: "regression" } });
  const optimizer = adamW({ groups: [{ match: "dense/kernels", frozen: true }] });
  expect(() => createTrainingGraph(model, { loss: meanSquaredError(), optimizer })).toThrow(
    'adamW: group 1 ("dense/kernels") matches no parameter that is trained; did you mean "dense/kernel"',
  );
});

test("parameters of a group have a node of their own, frozen ones none and no slots", () => {
  const model = linear({ width: 3, head: { task: "regression" } });
  const graphOf = (groups: OptimizerOptions["groups"]): Graph =>
    createTrainingGraph(model, { loss: meanSquaredError(), optimizer: lion({ groups: groups! }) });
  const two = graphOf([{ match: (name) => name.endsWith("bias"), weightDecay: 0.1 }]);
  expect(two.nodes.filter(({ operator }) => operator === "Lion")).toHaveLength(2);
  const frozen = graphOf([{ match: "*/kernel", frozen: true }]);
  expect(Object.keys(frozen.updates)).toEqual(["dense/bias", "lion/v/dense/bias"]);
});

test("a constrained parameter that a group leaves as it is trains like one without a constraint, the others keep theirs", () => {
  const model = linear({ width: 3, head: { task: "regression" } });
  const bound = { constraint: maxNorm({ maxValue: 1, axis: 0 }) };
  const parameters = { "dense/kernel": bound, "dense/bias": bound };
  const graphOf = (trained: TrainableModel, groups: OptimizerOptions["groups"]): Graph =>
    createTrainingGraph(trained, { loss: meanSquaredError(), optimizer: sgd({ groups: groups! }) });
  const frozen = graphOf({ ...model, parameters }, [{ match: "*/kernel", frozen: true }]);
  expect(Object.keys(frozen.updates).filter((name) => name.startsWith("dense/"))).toEqual(["dense/bias"]);
  const constrained = (graph: Graph): string[] => graph.nodes.filter(({ name }) => name.startsWith("constraint")).map(({ operator }) => operator);
  expect(constrained(frozen)).toEqual(constrained(graphOf({ ...model, parameters: { "dense/bias": bound } }, [{ match: "*/kernel", frozen: true }])));
  expect(constrained(frozen).length).toBeGreaterThan(0);
  expect(constrained(graphOf({ ...model, parameters }, []))).toHaveLength(2 * constrained(frozen).length);
});

test("averages need the optimizer's ema, and the state of that model", () => {
  const model = linear({ width: 3, head: { task: "regression" } });
  expect(() => averagedWeights(model, { state: model.state, updates: 3, optimizer: adam() })).toThrow("adam keeps no averages; give it ema");
  expect(() => averagedWeights(model, { state: {}, updates: 3, optimizer: adam({ ema: 0.9 }) })).toThrow(
    'the state lacks "dense/kernel" of "linear"',
  );
});

test.each([
  [() => adamW({ clipNorm: 0 }), "adamW: clipNorm must be a number above 0, not 0"],
  [() => lamb({ clipValue: -1 }), "lamb: clipValue must be a number above 0, not -1"],
  [() => lion({ ema: 1 }), "lion: ema must be a number from 0 to below 1, not 1"],
  [() => sgd({ groups: [{ match: "*", learningRateFactor: -1 }] }), "sgd: a group: learningRateFactor must be a number from 0, not -1"],
  [() => muon({ nsSteps: 2.5 }), "muon: nsSteps must be a whole number from 1 to 99, not 2.5"],
  [() => adafactor({ beta2Decay: 0.8 }), "adafactor: beta2Decay must be a number below 0, not 0.8"],
  [() => nadam({ beta1: 0.9999 }), "nadam: beta1 must be a number from 0 to below 0.9995, not 0.9999"],
  [() => ftrl({ learningRate: 0 }), "ftrl: learningRate must be a number above 0, not 0"],
  [() => rmsProp({ rho: 1 }), "rmsProp: rho must be a number from 0 to below 1, not 1"],
  [() => adadelta({ epsilon: -1 }), "adadelta: epsilon must be a number from 0, not -1"],
  [() => adagrad({ weightDecay: -1 }), "adagrad: weightDecay must be a number from 0, not -1"],
  [() => adagrad({ initialAccumulatorValue: -1 }), "adagrad: initialAccumulatorValue must be a number from 0, not -1"],
  [() => adam({ beta_1: 0.9 } as AdamOptions), 'adam: no argument "beta_1"; did you mean "beta1" or "beta2"?'],
  [() => sgd({ decay: 0.1 } as SgdOptions), 'sgd: no argument "decay"; there are "momentum", "nesterov", "learningRate", "weightDecay"'],
  [() => ftrl({ weightDecay: 0.1 } as FtrlOptions), 'ftrl: no argument "weightDecay"'],
  [() => adamax({ beta2: 2 }), "adamax: beta2 must be a number from 0 to below 1, not 2"],
])("an argument of another optimizer out of range is refused (%#)", (make, message) => {
  expect(make).toThrow(message);
});
