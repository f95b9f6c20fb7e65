import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import {
  constantSchedule,
  cosineRestartsSchedule,
  exponentialSchedule,
  inverseSquareRootSchedule,
  oneCycleSchedule,
  piecewiseSchedule,
  plateauSchedule,
  polynomialSchedule,
  stepSchedule,
  warmup,
  type Schedule,
} from "./index.ts";

// Rates that PyTorch and Keras computed (test/golden/make-schedules.py); some of Keras's are float32.
const makers = { cosineRestartsSchedule, exponentialSchedule, oneCycleSchedule, piecewiseSchedule, polynomialSchedule, stepSchedule };

interface GoldenSchedule {
  readonly name: keyof typeof makers;
  readonly options: Readonly<Record<string, unknown>>;
  readonly rates: readonly number[];
}

const { cases } = JSON.parse(await readFile(new URL("../../../test/golden/schedules.json", import.meta.url), "utf8")) as {
  readonly cases: readonly GoldenSchedule[];
};

test.for(cases.map((item) => [item.name, JSON.stringify(item.options), item] as const))("%s %s follows the golden rates", ([, , item]) => {
  const make = makers[item.name] as (options: Readonly<Record<string, unknown>>) => Schedule; // the golden options are the maker's
  const schedule = make(item.options);
  const worst = item.rates.map((rate, i) => Math.abs(schedule({ learningRate: 1, progress: 0, step: i + 1 }) - rate));
  expect(Math.max(...worst)).toBeLessThan(1e-6);
});

test("schedules without a number of steps end with the planned epochs", () => {
  const at = (schedule: Schedule, progress: number): number => schedule({ learningRate: 0.5, progress, step: 1 });
  expect([0, 0.5, 1].map((progress) => at(polynomialSchedule(), progress))).toEqual([0.5, 0.25, 0]);
  const cycle = oneCycleSchedule({ pctStart: 0.25, divFactor: 10, finalDivFactor: 100 });
  expect(at(cycle, 0)).toBeCloseTo(0.05, 12);
  expect(at(cycle, 0.25)).toBeCloseTo(0.5, 12);
  expect(at(cycle, 1)).toBeCloseTo(0.0005, 12);
});

test("the inverse square root rises to the rate and falls from it", () => {
  const schedule = inverseSquareRootSchedule({ warmupSteps: 100 });
  const at = (step: number): number => schedule({ learningRate: 2, progress: 0, step });
  expect([at(25), at(100), at(400)]).toEqual([0.5, 2, 1]);
});

test("a warm-up rises to the schedule under it, and leaves it its memory", () => {
  const plain = warmup(constantSchedule(), { warmupSteps: 4, startFactor: 0.5 });
  expect([1, 2, 4, 9].map((step) => plain({ learningRate: 1, progress: 0, step }))).toEqual([0.625, 0.75, 1, 1]);
  expect(plain.observe).toBeUndefined();
  const lowered = warmup(plateauSchedule({ patience: 1, factor: 0.5 }), { warmupSteps: 2 });
  lowered.restore?.(undefined);
  for (const loss of [1, 1]) lowered.observe?.({ loss });
  expect(lowered({ learningRate: 1, progress: 0, step: 5 })).toBe(0.5);
});

test("a plateau lowers the rate after patience, waits through the cooldown, and not below the least", () => {
  const schedule = plateauSchedule({ factor: 0.5, patience: 2, cooldown: 2, minDelta: 0.1, minLearningRate: 0.2 });
  schedule.restore?.(undefined);
  const rates = [1, 0.5, 0.45, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44].map((loss) => {
    schedule.observe?.({ loss: 9, "validation.loss": loss });
    return schedule({ learningRate: 1, progress: 0, step: 1 });
  });
  // Better by more than 0.1 in epoch 2 only; epochs 3 and 4 are bad: lowered. 5 cools, 6 and 7 are bad: lowered, and so on; 0.125 is below the least.
  expect(rates).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2]);
});

test("a plateau goes on from its state as if there had been no break", () => {
  const make = (): Schedule => plateauSchedule({ patience: 3, factor: 0.1, monitor: "validation.accuracy", mode: "max" });
  const values = [0.5, 0.6, 0.6, 0.6, 0.6, 0.7, 0.7, 0.7, 0.7];
  const [whole, first, second] = [make(), make(), make()];
  whole.restore?.(undefined);
  first.restore?.(undefined);
  values.forEach((value) => whole.observe?.({ "validation.accuracy": value }));
  values.slice(0, 4).forEach((value) => first.observe?.({ "validation.accuracy": value }));
  second.restore?.(JSON.parse(JSON.stringify(first.state?.())));
  values.slice(4).forEach((value) => second.observe?.({ "validation.accuracy": value }));
  expect(second.state?.()).toEqual(whole.state?.());
  expect(second({ learningRate: 1, progress: 0, step: 1 })).toBeCloseTo(0.01, 12);
});

test.each([
  [() => stepSchedule({ stepSize: 0 }), "stepSchedule: stepSize must be a whole number from 1, not 0"],
  [() => piecewiseSchedule({ boundaries: [5, 5], factors: [1, 1, 1] }), "piecewiseSchedule: boundary 2 must be a whole number from 6, not 5"],
  [() => piecewiseSchedule({ boundaries: [5], factors: [1] }), "piecewiseSchedule: 1 boundaries have 2 factors, not 1"],
  [() => exponentialSchedule({ decaySteps: 5, decayRate: 0 }), "exponentialSchedule: decayRate must be a number above 0, not 0"],
  [() => polynomialSchedule({ floor: 2 }), "polynomialSchedule: floor must be from 0 to 1, not 2"],
  [() => oneCycleSchedule({ pctStart: 1 }), "oneCycleSchedule: pctStart must be between 0 and 1, not 1"],
  [() => cosineRestartsSchedule({ firstDecaySteps: 5, tMul: 0.5 }), "cosineRestartsSchedule: tMul must be a number from 1, not 0.5"],
  [() => plateauSchedule({ mode: "mni" as "min" }), 'plateauSchedule: no mode "mni"; did you mean "min"'],
  [() => oneCycleSchedule({ annealStrategy: "cosine" as "cos" }), 'oneCycleSchedule: no annealStrategy "cosine"; did you mean "cos"'],
  [() => polynomialSchedule({ end: 0.1 } as { floor?: number }), 'polynomialSchedule: no argument "end"; there are "decaySteps", "floor", "power"'],
  [() => plateauSchedule({ factor: 1 }), "plateauSchedule: factor must be between 0 and 1, not 1"],
  [
    () => plateauSchedule({ monitor: "validation.auc" }).observe?.({ loss: 1 }),
    'plateauSchedule: there is no "validation.auc" to monitor; choose from loss',
  ],
  [() => warmup(constantSchedule(), { warmupSteps: 1.5 }), "warmup: warmupSteps must be a whole number from 1, not 1.5"],
])("an argument out of range is refused (%#)", (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: "ARGUMENT_INVALID", message: expect.stringContaining(message) }));
});
