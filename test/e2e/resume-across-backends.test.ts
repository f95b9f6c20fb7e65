import { afterAll, beforeAll, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import { openTfjs } from "../../backends/tfjs/index.ts";
import { fit, memoryCheckpoints, toNumbers, type Backend, type Checkpoint, type FitOptions, type FitResult } from "../../core/index.ts";
import { diary, everything } from "../../core/training/testing/everything.ts";

let onnxRuntime: Backend;
let wasm: Backend;
const reference = openReference();
beforeAll(async () => {
  onnxRuntime = await openOnnxRuntime({ threads: 1 });
  wasm = await openTfjs({ device: "wasm" });
});
afterAll(() => Promise.all([onnxRuntime.dispose(), wasm.dispose()]));

/** Trains on one backend until a step, from a checkpoint or from the start. */
async function until(step: number, options: FitOptions): Promise<Checkpoint> {
  const checkpoints = memoryCheckpoints();
  const controller = new AbortController();
  await fit({
    ...options,
    checkpoints,
    signal: controller.signal,
    onEvent: (event) => void (event.kind === "step" && event.step === step && controller.abort()),
  });
  return (await checkpoints.load("last")) ?? expect.fail("nothing was saved");
}

function expectNear(found: FitResult, expected: FitResult): void {
  expect(found.steps).toBe(expected.steps);
  found.history.forEach((record, i) => expect(record.loss).toBeCloseTo(expected.history[i]!.loss, 3));
  // 21 steps with divisions by running variances amplify float32's rounding, 6e-8, to at most some 1e-4.
  for (const [name, value] of Object.entries(expected.model.state)) {
    const numbers = toNumbers(found.model.state[name]!);
    toNumbers(value).forEach((number, i) => expect(Math.abs(numbers[i]! - number)).toBeLessThan(1e-3 * Math.max(1, Math.abs(number))));
  }
}

test("a run begun on onnxruntime, carried on by the reference and ended on tfjs-wasm is that of one backend, to rounding", async () => {
  const first = await until(5, everything(onnxRuntime));
  expect(first.pending.batches).toBe(2); // halfway through an accumulation
  const second = await until(12, { ...everything(reference), resume: first });
  const ended = await fit({ ...everything(wasm), resume: second });
  expectNear(ended, await fit(everything(onnxRuntime)));
});

test.each(["onnxruntime", "tfjs-wasm"])(
  "on %s a resumed run is bit for bit the one without a break: masks, averages, accumulation, callbacks",
  async (name) => {
    const backend = name === "onnxruntime" ? onnxRuntime : wasm;
    const straightDiary = diary();
    const straight = await fit({ ...everything(backend), callbacks: [straightDiary] });
    for (const step of [2, 6, 7, 16]) {
      const followed = diary();
      const resume = await until(step, everything(backend));
      const resumed = await fit({ ...everything(backend), callbacks: [followed], resume });
      expect(resumed.model.state).toEqual(straight.model.state);
      expect(resumed.history).toEqual(straight.history);
      expect(followed.pages()).toBe(straightDiary.pages());
    }
  },
);
