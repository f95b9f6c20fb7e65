import { readFile } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { dtypeCodes, GraphBuilder, tensor, toNumbers, type Tensor } from "../../core/index.ts";
import { openReference } from "./backend.ts";

// Bits that NumPy computed (test/golden/make-float16.py). Sums, products, quotients and roots of float16 are exact enough in wider types to be rounded once.
interface Golden {
  readonly casts: { readonly values: readonly number[]; readonly bits: readonly number[] };
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly binary: Readonly<Record<string, readonly number[]>>;
  readonly unary: Readonly<Record<string, readonly number[]>>;
}

const golden = JSON.parse(await readFile(new URL("../../test/golden/float16.json", import.meta.url), "utf8")) as Golden; // as the script writes it

test.each(["float64", "float32"] as const)(
  "Cast rounds %s to the nearest float16, ties to even, with subnormals and infinities, as NumPy does",
  async (dtype) => {
    const { values, bits } = golden.casts;
    const builder = new GraphBuilder("cast");
    builder.output("y", builder.op("Cast", [builder.input("x", dtype, [values.length])], { to: dtypeCodes.float16 }));
    // A value that float32 cannot hold may round otherwise on its way through it.
    const kept = values.map((value, i) => [dtype === "float64" || Math.fround(value) === value, i] as const).filter(([isKept]) => isKept);
    const y = await run(builder, { x: tensor(dtype, [values.length], values) });
    expect(kept.length).toBeGreaterThan(15);
    expect(kept.map(([, i]) => bitsOf(y)[i])).toEqual(kept.map(([, i]) => bits[i]));
  },
);

test("a number that lies a little above a tie is rounded up from float64, not first to float32 and then down", async () => {
  const builder = new GraphBuilder("cast");
  builder.output("y", builder.op("Cast", [builder.input("x", "float64", [])], { to: dtypeCodes.float16 }));
  const y = await run(builder, { x: tensor("float64", [], [1 + 2 ** -11 + 2 ** -40]) });
  expect(toNumbers(y)).toEqual([1 + 2 ** -10]);
});

test.each(Object.keys(golden.binary))("%s of float16 has NumPy's bits, overflow and subnormal results included", async (operator) => {
  const builder = new GraphBuilder(operator);
  const [a, b] = [half(golden.a), half(golden.b)];
  builder.output("y", builder.op(operator, [builder.input("a", "float16", a.shape), builder.input("b", "float16", b.shape)]));
  expect(numbersByBits(bitsOf(await run(builder, { a, b })))).toEqual(numbersByBits(golden.binary[operator] ?? []));
});

test.each(Object.keys(golden.unary))("%s of float16 has NumPy's bits", async (operator) => {
  const builder = new GraphBuilder(operator);
  const a = half(golden.a.map((bits) => bits & 0x7fff)); // absolute values
  builder.output("y", builder.op(operator, [builder.input("a", "float16", a.shape)]));
  expect(numbersByBits(bitsOf(await run(builder, { a })))).toEqual(numbersByBits(golden.unary[operator] ?? []));
});

test("a long sum of float16 does not stall where the next number is below the last digit", async () => {
  const builder = new GraphBuilder("sum");
  builder.output("y", builder.op("ReduceSum", [builder.input("x", "float16", [4096])], { keepdims: 0 }));
  const x = tensor(
    "float16",
    [4096],
    Array.from({ length: 4096 }, () => 1),
  );
  expect(toNumbers(await run(builder, { x }))).toEqual([4096]); // one by one in float16 it would stay at 2048
});

test("an engine without Float16Array refuses float16 when the graph is compiled, and says what has it", async () => {
  const builder = new GraphBuilder("cast");
  builder.output("y", builder.op("Cast", [builder.input("x", "float32", [2])], { to: dtypeCodes.float16 }));
  vi.stubGlobal("Float16Array", undefined);
  try {
    await expect(openReference().compile(builder.build())).rejects.toMatchObject({
      code: "TENSOR_INVALID",
      message: expect.stringContaining("Node 24"),
    });
    expect(() => tensor("float16", [1], [1])).toThrow(/Float16Array/);
    expect(tensor("float32", [1], [1]).data).toEqual(Float32Array.of(1));
  } finally {
    vi.unstubAllGlobals();
  }
});

async function run(builder: GraphBuilder, feeds: Readonly<Record<string, Tensor>>): Promise<Tensor> {
  const executable = await openReference().compile(builder.build());
  const { y } = await executable.run(feeds);
  return y as Tensor; // the graph's output
}

function half(bits: readonly number[]): Tensor {
  return { dtype: "float16", shape: [bits.length], data: new Float16Array(Uint16Array.from(bits).buffer) };
}

function bitsOf({ data }: Tensor): readonly number[] {
  const { buffer, byteOffset, length } = data as Float16Array; // float16 has no other
  return Array.from(new Uint16Array(buffer, byteOffset, length));
}

/** NaN has many bits. */
function numbersByBits(bits: readonly number[]): readonly (number | "NaN")[] {
  return bits.map((value) => ((value & 0x7fff) > 0x7c00 ? "NaN" : value));
}
