import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { lower } from "../../graph/lower.ts";
import { elementCount, scalar, tensor, toNumbers, type Tensors } from "../../tensor.ts";
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
  type OptimizerOptions,
} from "./index.ts";

// Paths that PyTorch and Keras computed in float64 (test/golden/make-optimizers.py): the same formulas in another order of operations.

const optimizers = { adadelta, adafactor, adagrad, adam, adamax, adamW, ftrl, lamb, lion, muon, nadam, rmsProp, sgd };

interface GoldenCase {
  readonly name: string;
  readonly optimizer: keyof typeof optimizers;
  readonly options: OptimizerOptions;
  readonly rate: number;
  /** 1e-10, but where Keras computes a part in float32. */
  readonly tolerance: number;
  readonly path: readonly (readonly number[])[];
}

const { names, shapes, start, rates, gradients, cases } = JSON.parse(
  await readFile(new URL("../../../test/golden/optimizers.json", import.meta.url), "utf8"),
) as {
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  readonly start: readonly number[];
  readonly rates: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly cases: readonly GoldenCase[];
};
const backend = openReference();
afterAll(() => backend.dispose());

test.for(cases.flatMap((golden) => (["as its operator", "lowered"] as const).map((form) => [golden.name, form, golden] as const)))(
  "%s follows the golden path, %s",
  async ([, form, golden]) => {
    const optimizer = optimizers[golden.optimizer](golden.options);
    const builder = new GraphBuilder(golden.name);
    optimizer.apply({
      builder,
      parameters: names.map((name, i) => builder.state(name, "float64", shapes[i]!)),
      gradients: names.map((name, i) => builder.input(`gradient/${name}`, "float64", shapes[i]!)),
      learningRate: builder.input("learning_rate", "float64", []),
      step: builder.input("step", "int64", []),
    });
    const graph = builder.build();
    const executable = await backend.compile(form === "lowered" ? lower(graph, (operator) => !composite.has(operator)) : graph, {
      state: unpack(start, ""),
    });
    for (const [i, rate] of rates.entries()) {
      const feeds = { learning_rate: scalar(rate * golden.rate, "float64"), step: scalar(i + 1, "int64") };
      await executable.run({ ...feeds, ...unpack(gradients[i]!, "gradient/") });
      const state = await executable.readState();
      const model = { graph: { ...graph, state: graph.state.filter(({ role }) => role === "parameter") }, state };
      const reached = golden.options.ema === undefined ? model : averagedWeights(model, { state, updates: i + 1, optimizer });
      const found = names.flatMap((name) => toNumbers(reached.state[name]!));
      const worst = Math.max(...found.map((value, k) => Math.abs(value - golden.path[i]![k]!)));
      expect(worst, `step ${i + 1}`).toBeLessThan(golden.tolerance);
    }
    await executable.dispose();
  },
);

const composite = new Set(["Adam", "Momentum", "AdamW", "Adamax", "Nadam", "Adagrad", "RMSprop", "Adadelta", "Lion", "Ftrl", "MovingAverage"]);

/** The parameters one after the other. */
function unpack(values: readonly number[], prefix: string): Tensors {
  let at = 0;
  return Object.fromEntries(
    names.map((name, i) => {
      const shape = shapes[i]!;
      const count = elementCount(shape);
      at += count;
      return [prefix + name, tensor("float64", shape, values.slice(at - count, at))];
    }),
  );
}
