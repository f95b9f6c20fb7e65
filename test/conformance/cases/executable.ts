import {
  EspalierError,
  bindBatch,
  scalar,
  tensor,
  toNumbers,
  zeros,
  type Backend,
  type ErrorCode,
  type Executable,
  type Tensor,
  type Tensors,
} from "../../../core/index.ts";
import type { ConformanceCase } from "../case.ts";
import { compareTensor, compareTensors } from "../compare.ts";
import { graphOf, nameOf } from "../operator-spec.ts";
import { operatorSpecs } from "../specs.ts";
import { mlpStep } from "../training-step.ts";

const tolerance = 1e-5;

/** What an executable promises besides numbers. */
export const executableCases: readonly ConformanceCase[] = [
  {
    name: "executable: one of them runs several batch sizes, in any order",
    run: (backend, reference) =>
      withBoth([backend, reference], async (tested, trusted) => {
        for (const batch of [8, 1, 33, 8, 2, 64, 1]) {
          const feeds = {
            x: tensor(
              "float32",
              [batch, 11],
              Array.from({ length: batch * 11 }, (_, i) => Math.sin(i)),
            ),
          };
          compareTensors(await tested.run(feeds), await trusted.run(feeds), { tolerance, what: `batch ${batch}` });
        }
      }),
  },
  {
    name: "executable: state is read and written back to the bit, partly too, and a copy is a copy",
    run: (backend) =>
      withTraining(backend, async (executable) => {
        const { feeds, state } = mlpStep("Adam");
        const first = await executable.readState();
        compareTensors({ ...first, ...state }, first, { tolerance: 0, what: "the first state" });
        await executable.run(feeds(1));
        const saved = await executable.readState();
        const losses = [await lossOf(executable, feeds(2)), await lossOf(executable, feeds(3))];
        await executable.writeState(saved);
        compareTensors(await executable.readState(), saved, { tolerance: 0, what: "the state after writing it back" });
        expect([await lossOf(executable, feeds(2)), await lossOf(executable, feeds(3))].join(), losses.join(), "losses after going back");

        const one = await executable.readState(["b1"]);
        expect(Object.keys(one).join(), "b1", "the names of a partial read");
        (one["b1"] as Tensor & { readonly data: Float32Array }).data.fill(99); // b1 was read, and is float32
        await executable.writeState({ b2: tensor("float32", [9], [1, 2, 3, 4, 5, 6, 7, 8, 9]) });
        const after = await executable.readState();
        compareTensor(after["b2"] as Tensor, tensor("float32", [9], [1, 2, 3, 4, 5, 6, 7, 8, 9]), { tolerance: 0, what: "b2 after a partial write" });
        expect(toNumbers(after["b1"] as Tensor).includes(99), false, "whether writing into a read copy reached the state");
      }),
  },
  {
    name: "executable: state that is not given starts as zeros",
    run: async (backend) => {
      const executable = await backend.compile(mlpStep("Adam").graph);
      const state = await executable.readState();
      await executable.dispose();
      for (const [name, value] of Object.entries(state)) compareTensor(value, zeros("float32", value.shape), { tolerance: 0, what: name });
    },
  },
  {
    name: "executable: an evaluation graph shares the state that training writes, and outlives it",
    run: async (backend, reference) => {
      const { graph, forward, state, feeds } = mlpStep("Adam");
      const training = await backend.compile(graph, { state });
      const evaluation = await backend.compile(forward, { shareStateWith: training });
      const trusted = await reference.compile(forward, {});
      const x = { x: feeds(1)["x"] as Tensor }; // fed by every step
      for (let step = 1; step <= 3; step += 1) {
        await training.run(feeds(step));
        await trusted.writeState(await evaluation.readState());
        compareTensors(await evaluation.readState(), await training.readState(Object.keys(state)), {
          tolerance: 0,
          what: `shared state, step ${step}`,
        });
        compareTensors(await evaluation.run(x), await trusted.run(x), { tolerance, what: `evaluation after step ${step}` });
      }
      await evaluation.writeState({ b3: tensor("float32", [3], [5, 6, 7]) });
      compareTensor((await training.readState(["b3"]))["b3"] as Tensor, tensor("float32", [3], [5, 6, 7]), {
        tolerance: 0,
        what: "b3 seen by training",
      });
      const before = await evaluation.run(x);
      await training.dispose();
      compareTensors(await evaluation.run(x), before, { tolerance: 0, what: "evaluation after training was disposed" });
      await evaluation.dispose();
      await trusted.dispose();
    },
  },
  {
    name: "executable: outputs belong to the caller, and feeds are neither kept nor changed",
    run: (backend) =>
      withTraining(backend, async (executable) => {
        const { feeds } = mlpStep("Adam");
        const fed = feeds(1);
        const copy = structuredClone(fed);
        const first = await executable.run(fed);
        compareTensors(fed, copy, { tolerance: 0, what: "the feeds after a run" });
        const kept = structuredClone(first);
        await executable.run(feeds(2));
        compareTensors(first, kept, { tolerance: 0, what: "the first run's outputs after the second" });
        const state = await executable.readState();
        for (const value of [...Object.values(first), ...Object.values(fed)]) if (value.data instanceof Float32Array) value.data.fill(77);
        compareTensors(await executable.readState(), state, { tolerance: 0, what: "the state after scribbling over outputs and feeds" });
      }),
  },
  {
    name: "executable: wrong feeds are refused before anything runs",
    run: (backend) =>
      withTraining(backend, async (executable) => {
        const good = mlpStep("Adam").feeds(1);
        const { labels, ...withoutLabels } = good;
        const before = await executable.readState();
        const wrong: Readonly<Record<string, Tensors>> = {
          missing: withoutLabels,
          superfluous: { ...good, extra: scalar(1) },
          "another dtype": { ...good, labels: { ...(labels as Tensor), dtype: "float32", data: new Float32Array(8) } },
          "another shape": { ...good, x: zeros("float32", [8, 12]) },
          "another batch": { ...good, x: zeros("float32", [9, 11]) },
          "no rows": { ...good, x: zeros("float32", [0, 11]), labels: zeros("int32", [0]) },
        };
        for (const [what, feeds] of Object.entries(wrong)) await refuses("TENSOR_INVALID", what, () => executable.run(feeds));
        await refuses("TENSOR_INVALID", "an unknown state name", () => executable.writeState({ nothing: scalar(1) }));
        await refuses("TENSOR_INVALID", "a state of another shape", () => executable.writeState({ b1: zeros("float32", [16]) }));
        await refuses("TENSOR_INVALID", "an unknown name to read", () => executable.readState(["nothing"]));
        compareTensors(await executable.readState(), before, { tolerance: 0, what: "the state after refused calls" });
        await executable.run(good);
      }),
  },
  {
    name: "executable: first state that does not fit is refused",
    run: async (backend) => {
      const { graph } = mlpStep("Adam");
      await refuses("TENSOR_INVALID", "another shape", () => backend.compile(graph, { state: { b1: zeros("float32", [16]) } }));
      await refuses("TENSOR_INVALID", "an unknown name", () => backend.compile(graph, { state: { nothing: scalar(0) } }));
    },
  },
  {
    name: "executable: runs that are started together come out as if one after the other",
    run: (backend, reference) =>
      withBoth([backend, reference], async (tested, trusted) => {
        const all = [5, 2, 9, 5, 1].map((batch, i) => ({
          x: tensor(
            "float32",
            [batch, 11],
            Array.from({ length: batch * 11 }, (_, k) => Math.cos(k + i)),
          ),
        }));
        const together = await Promise.all(all.map((feeds) => tested.run(feeds)));
        for (const [i, feeds] of all.entries()) compareTensors(together[i] as Tensors, await trusted.run(feeds), { tolerance, what: `run ${i}` });
      }),
  },
  {
    name: "executable: training steps that are started together are applied in order",
    run: (backend) =>
      withTraining(backend, async (executable) => {
        const { feeds, state } = mlpStep("Adam");
        const first = await executable.readState();
        const together = await Promise.all([1, 2, 3].map((step) => lossOf(executable, feeds(step))));
        await executable.writeState({ ...first, ...state });
        const inTurn: number[] = [];
        for (const step of [1, 2, 3]) inTurn.push(await lossOf(executable, feeds(step)));
        expect(together.join(), inTurn.join(), "losses of steps started together");
      }),
  },
  {
    name: "executable: dispose may be called twice; a run after it is refused",
    run: async (backend) => {
      const { graph, state, feeds } = mlpStep("Adam");
      const executable = await backend.compile(graph, { state });
      await executable.dispose();
      await executable.dispose();
      await refuses(undefined, "a run after dispose", () => executable.run(feeds(1)));
    },
  },
  {
    name: "backend: operators that it can neither run nor lower are named at compile time",
    run: async (backend) => {
      const has = (operator: string): boolean => backend.capabilities.operators.has(operator);
      for (const spec of operatorSpecs) {
        const graph = graphOf(spec);
        if (has(spec.operator) || canLower(() => bindBatch(graph, 1, { supports: has }))) continue;
        const error = await refuses("BACKEND_OPERATOR_MISSING", nameOf(spec), () => backend.compile(graph));
        if (!error.message.includes(spec.operator)) throw new Error(`${nameOf(spec)}: the message does not name the operator: ${error.message}`);
      }
    },
  },
];

async function withBoth(
  [backend, reference]: readonly [Backend, Backend],
  use: (tested: Executable, trusted: Executable) => Promise<void>,
): Promise<void> {
  const { forward, state } = mlpStep("Adam");
  const [tested, trusted] = [await backend.compile(forward, { state }), await reference.compile(forward, { state })];
  try {
    await use(tested, trusted);
  } finally {
    await tested.dispose();
    await trusted.dispose();
  }
}

async function withTraining(backend: Backend, use: (executable: Executable) => Promise<void>): Promise<void> {
  const { graph, state } = mlpStep("Adam");
  const executable = await backend.compile(graph, { state });
  try {
    await use(executable);
  } finally {
    await executable.dispose();
  }
}

async function lossOf(executable: Executable, feeds: Tensors): Promise<number> {
  return Number((await executable.run(feeds))["loss"]?.data[0]);
}

async function refuses(code: ErrorCode | undefined, what: string, call: () => Promise<unknown>): Promise<Error> {
  const error: unknown = await call().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EspalierError)) throw new Error(`${what} was not refused with an EspalierError: ${String(error)}`);
  if (code !== undefined && error.code !== code) throw new Error(`${what} was refused with ${error.code} (${error.message}), not ${code}`);
  return error;
}

function canLower(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof EspalierError && error.code === "BACKEND_OPERATOR_MISSING") return false;
    throw error;
  }
}

function expect<T>(given: T, expected: T, what: string): void {
  if (!Object.is(given, expected)) throw new Error(`${what}: ${String(given)}, not ${String(expected)}`);
}
