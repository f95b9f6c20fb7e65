import { toNumbers, type Executable, type Tensor } from "../../../core/index.ts";
import type { ConformanceCase } from "../case.ts";
import { compareTensors } from "../compare.ts";
import { normalizedStep } from "../normalized-step.ts";
import { cnnStep, mlpStep, type TrainingStep } from "../training-step.ts";

const steps = 50;

/** Whole training steps: losses equal to the reference backend's to 1e-4 over 50 steps, the last partial batches included. */
export const trainingCases: readonly ConformanceCase[] = [
  trains("a perceptron under Adam", () => mlpStep("Adam")),
  trains("a perceptron under Momentum", () => mlpStep("Momentum")),
  trains("a convolutional network under Adam", cnnStep),
  trains("an LSTM, normalizations and dropout under Adam", normalizedStep),
];

function trains(about: string, make: () => TrainingStep): ConformanceCase {
  const name = `training: ${about}, ${steps} steps`;
  return {
    name,
    async run(backend, reference) {
      const { graph, state, feeds } = make();
      const [tested, trusted] = [await backend.compile(graph, { state }), await reference.compile(graph, { state })];
      try {
        const first = await compareStep(tested, trusted, { name, step: 1, feeds: feeds(1) });
        let last = first;
        for (let step = 2; step <= steps; step += 1) last = await compareStep(tested, trusted, { name, step, feeds: feeds(step) });
        if (!(last < 0.8 * first)) throw new Error(`${name}: the loss went from ${first} to ${last}; the network does not learn`);
        // Weights drift apart a little faster than losses do.
        compareTensors(await tested.readState(), await trusted.readState(), { tolerance: 1e-3, what: `${name}, state at the end` });
      } finally {
        await tested.dispose();
        await trusted.dispose();
      }
    },
  };
}

async function compareStep(
  tested: Executable,
  trusted: Executable,
  { name, step, feeds }: { name: string; step: number; feeds: Parameters<Executable["run"]>[0] },
): Promise<number> {
  const [given, expected] = [await tested.run(feeds), await trusted.run(feeds)];
  compareTensors({ loss: given["loss"] as Tensor }, { loss: expected["loss"] as Tensor }, { tolerance: 1e-4, what: `${name}, step ${step}` });
  return toNumbers(expected["loss"] as Tensor)[0] ?? Number.NaN; // both graphs name a loss
}
