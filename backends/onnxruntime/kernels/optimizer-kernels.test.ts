import { expect, test } from "vitest";
import { findOperator, Random, readAttributes, type Attribute, type Attributes } from "../../../core/index.ts";
import { Arena } from "../arena.ts";
import { OptimizerKernels } from "./optimizer-kernels.ts";
import { KernelTeam } from "../team.ts";
import { fusedOptimizers, type FusedOptimizer } from "../optimizers/index.ts";

type NodeAttributes = Readonly<Record<string, Attribute>>;

const settings: Readonly<Record<string, readonly NodeAttributes[]>> = {
  Adam: [{}, { alpha: 0.8, beta: 0.99, epsilon: 1e-3, norm_coefficient: 0.01, norm_coefficient_post: 0.02 }],
  AdamW: [{}, { alpha: 0.8, beta: 0.99, epsilon: 1e-3, norm_coefficient: 0.01, weight_decay: 0.5 }],
  MovingAverage: [{}, { start: 4 }],
  Momentum: [
    { alpha: 0.9, beta: 0.7, mode: "standard", norm_coefficient: 0.01 },
    { alpha: 0.9, beta: 1, mode: "nesterov", norm_coefficient: 0 },
  ],
};

test("each optimizer's WebAssembly is its plain path, to 1e-6 over ten steps, at every length of the last vector", () => {
  const arena = new Arena();
  const kernels = new OptimizerKernels(arena);
  for (const optimizer of fusedOptimizers.filter(({ kernel }) => kernel !== undefined)) {
    for (const given of settings[optimizer.operator] ?? [{}]) {
      for (const length of [1, 2, 3, 4, 5, 1001]) {
        const [fast, plain] = [allocate(arena, optimizer, length), allocate(undefined, optimizer, length)];
        for (let step = 0; step < 10; step += 1) {
          const setting = { rate: 0.01, step, attributes: attributesOf(optimizer, given) };
          for (const arrays of [fast, plain]) arrays[1]?.set(gradients(length, step));
          expect(kernels.optimize(optimizer, [fast], setting)).toEqual([]);
          const [parameter, gradient, ...slots] = plain;
          if (parameter && gradient) optimizer.update({ ...setting, parameter, gradient, slots });
        }
        const differences = fast.flatMap((array, k) => [...array].map((value, j) => Math.abs(value - (plain[k]?.[j] ?? Number.NaN))));
        expect(Math.max(...differences)).toBeLessThan(1e-6);
        for (const array of fast) arena.free(array);
      }
    }
  }
});

test("memory outside the arena and float64 are left to the plain path, untouched", () => {
  const arena = new Arena();
  const kernels = new OptimizerKernels(arena);
  const optimizer = fusedOptimizers.find(({ kernel }) => kernel !== undefined);
  if (optimizer === undefined) throw new Error("there is an optimizer");
  const setting = { rate: 0.1, step: 1, attributes: attributesOf(optimizer, {}) };
  const outside = [...allocate(arena, optimizer, 4).slice(0, -1), new Float32Array(4)];
  expect(kernels.optimize(optimizer, [outside], setting)).toEqual([outside]);
  const double = allocate(arena, optimizer, 4).map((_, i) => (i === 0 ? arena.allocate("float64", [4]) : arena.allocate("float32", [4])));
  expect(kernels.optimize(optimizer, [double as Float64Array[]], setting)).toEqual([double]);
  expect(outside[0]?.[0]).toBe(initial(0));
});

test("an optimizer with other slots than its kernel is left to the plain path", () => {
  const arena = new Arena();
  const optimizer = fusedOptimizers.find(({ operator }) => operator === "AdamW");
  if (optimizer === undefined) throw new Error("there is AdamW");
  const arrays = [...allocate(arena, optimizer, 4), arena.allocate("float32", [4]) as Float32Array];
  const setting = { rate: 0.1, step: 1, attributes: attributesOf(optimizer, { amsgrad: 1 }) };
  expect(new OptimizerKernels(arena).optimize(optimizer, [arrays], setting)).toEqual([arrays]);
  expect(arrays[0]?.[0]).toBe(initial(0));
});

/** A parameter of known values, a gradient and zeroed slots. */
function allocate(arena: Arena | undefined, optimizer: FusedOptimizer, length: number): Float32Array[] {
  const arrays = Array.from(
    { length: (optimizer.kernel?.slots ?? 0) + 2 },
    () => (arena?.allocate("float32", [length]) as Float32Array) ?? new Float32Array(length),
  );
  arrays[0]?.set(Array.from({ length }, (_, i) => initial(i)));
  return arrays;
}

function initial(i: number): number {
  return Math.fround(Math.sin(i + 1));
}

function gradients(length: number, step: number): number[] {
  const random = new Random(step);
  return Array.from({ length }, () => random.uniform(-1, 1));
}

function attributesOf({ operator }: FusedOptimizer, given: NodeAttributes): Attributes {
  const found = findOperator(operator);
  if (found === undefined) throw new Error(`no operator ${operator}`);
  return readAttributes(found, "test", given);
}

test("several threads update what one does, bit for bit, and only while they listen", async () => {
  const arena = new Arena();
  const team = new KernelTeam(3, arena, 1);
  await team.start();
  const optimizer = fusedOptimizers.find(({ operator }) => operator === "Adam");
  if (optimizer === undefined) throw new Error("there is Adam");
  const lengths = [1_000_003, 1, 64, 100_001];
  const [together, alone] = [lengths, lengths].map((sizes) => sizes.map((length) => allocate(arena, optimizer, length)));
  const kernels = { together: new OptimizerKernels(arena, team), alone: new OptimizerKernels(arena) };
  for (let step = 0; step < 4; step += 1) {
    for (const arrays of [...(together ?? []), ...(alone ?? [])]) arrays[1]?.set(gradients(arrays[1].length, step));
    const setting = { rate: 0.01, step, attributes: attributesOf(optimizer, {}) };
    if (step !== 2) await team.listen();
    expect(kernels.together.optimize(optimizer, together ?? [], setting)).toEqual([]);
    team.rest();
    kernels.alone.optimize(optimizer, alone ?? [], setting);
    together?.forEach((arrays, i) => arrays.forEach((array, k) => expect(Buffer.compare(bytes(array), bytes(alone?.[i]?.[k]))).toBe(0)));
  }
  await team.close();
});

function bytes(array: Float32Array | undefined): Uint8Array {
  return new Uint8Array((array ?? new Float32Array()).slice().buffer);
}
