import { expect, test } from "vitest";
import { importKoffi, type Koffi } from "../native/koffi.ts";
import { openMachineMemory } from "./machine-memory.ts";
import { productCode, productScratchBytes, type Product } from "./product.ts";
import { partOf } from "./share.ts";

const koffi = await importKoffi().catch(() => undefined);
const memory = koffi && openMachineMemory(koffi);
/** On other machines products are ONNX Runtime's. */
const none = memory === undefined;

const pageBytes = 4096;

/** An end of memory. */
type Side = "begin" | "end";

interface Guarded {
  readonly address: bigint;
  read(): Float32Array;
  release(): void;
}

/** Floats between pages that nobody may touch, one of which they touch: code that reads or writes past that side kills the process. */
function guarded(library: Koffi, floats: Float32Array, side: Side): Guarded {
  const libc = library.load("libc.so.6");
  const pages = Math.ceil((floats.byteLength + 1) / pageBytes);
  const base = libc.func("void* mmap(void*, size_t, int, int, int, int64_t)")(null, (pages + 2) * pageBytes, 3, 0x22, -1, 0) as bigint; // an address
  const [first, last] = [base + BigInt(pageBytes), base + BigInt((pages + 1) * pageBytes)];
  for (const page of [base, last]) libc.func("int mprotect(void*, size_t, int)")(page, pageBytes, 0);
  const copy = libc.func("void* memcpy(void*, void*, size_t)");
  const address = side === "begin" ? first : last - BigInt(floats.byteLength);
  copy(address, library.address(floats), floats.byteLength);
  return {
    address,
    read() {
      const copied = new Float32Array(new SharedArrayBuffer(floats.byteLength)); // not on V8's heap
      copy(library.address(copied), address, floats.byteLength);
      return copied;
    },
    release: () => void libc.func("int munmap(void*, size_t)")(base, (pages + 2) * pageBytes),
  };
}

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly batches?: readonly [number, number];
  readonly leftAcross?: boolean;
  readonly rightAcross?: boolean;
  readonly scale?: number;
  readonly third?: Product["third"];
  readonly relu?: boolean;
}

function productOf({ rows, columns, depth, batches = [1, 1], leftAcross, rightAcross, scale = 1, third = "none", relu = false }: Shape): Product {
  const each = (size: number): readonly [number, number] => [batches[1] * size, size];
  return {
    batches,
    rows,
    columns,
    depth,
    left: { batches: each(rows * depth), ...(leftAcross ? { row: 1, depth: rows } : { row: depth, depth: 1 }) },
    right: { batches: each(depth * columns), ...(rightAcross ? { depth: 1, column: depth } : { depth: columns, column: 1 }) },
    result: { batches: each(rows * columns), row: columns },
    scale,
    third,
    relu,
  };
}

/** Floats from -1 to 1, the same every time. */
function values(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return state / 2 ** 31;
  });
}

/** To the result's last. */
function writtenFloats({ batches, rows, columns, result }: Product): number {
  return (batches[0] - 1) * result.batches[0] + (batches[1] - 1) * result.batches[1] + (rows - 1) * result.row + columns;
}

/** In float64, element by element. */
function expected(product: Product, [left, right, added]: readonly Float32Array[]): readonly number[] {
  const { batches, rows, columns, depth, scale, third, relu } = product;
  const result: number[] = [];
  for (let outer = 0; outer < batches[0]; outer += 1) {
    for (let inner = 0; inner < batches[1]; inner += 1) {
      const start = (of: { readonly batches: readonly [number, number] }): number => outer * of.batches[0] + inner * of.batches[1];
      for (let i = 0; i < rows; i += 1) {
        for (let j = 0; j < columns; j += 1) {
          let sum = 0;
          for (let k = 0; k < depth; k += 1) {
            const a = left?.[start(product.left) + i * product.left.row + k * product.left.depth] ?? NaN;
            sum += a * (right?.[start(product.right) + k * product.right.depth + j * product.right.column] ?? NaN);
          }
          const at = start(product.result) + i * product.result.row + j;
          const other = added?.[third === "row" ? j : at] ?? NaN;
          const value = third === "gate" ? (other > 0 ? sum * scale : 0) : sum * scale + (third === "none" ? 0 : other);
          result[at] = relu && value < 0 ? 0 : value;
        }
      }
    }
  }
  return result;
}

function computed(
  product: Product,
  inputs: readonly Float32Array[],
  { shares = 1, side = "end" }: { shares?: number; side?: Side } = {},
): Float32Array {
  if (koffi === undefined || memory === undefined) throw new Error("skipped");
  const blocks = [...inputs, new Float32Array(writtenFloats(product)).fill(NaN)].map((floats) => guarded(koffi, floats, side));
  const type = koffi.proto("void (void*, void*, void*, void*, void*)");
  const [left = 0n, right = 0n, added = 0n, result = 0n] = blocks.map(({ address }) => address);
  for (let index = 0; index < shares; index += 1) {
    const part = partOf(product, { index, count: shares });
    const code = productCode(part.product);
    const [text, scratch] = [memory.reserve(code.length), memory.reserve(productScratchBytes(part.product))];
    memory.write(text, code);
    memory.protect(text);
    const at = (base: bigint, floats: number): bigint => base + BigInt(4 * floats);
    koffi.call(text.address, type, at(left, part.left), at(right, part.right), at(result, part.result), at(added, part.third), scratch.address);
    text.release();
    scratch.release();
  }
  const made = blocks.at(-1)?.read() ?? new Float32Array();
  for (const block of blocks) block.release();
  return made;
}

function inputsOf({ batches, rows, columns, depth }: Product): readonly Float32Array[] {
  const count = batches[0] * batches[1];
  return [values(count * rows * depth, 1), values(count * depth * columns, 2), values(count * rows * columns, 3)];
}

function worst(made: Float32Array, wanted: readonly number[]): number {
  return wanted.reduce((most, value, i) => (Math.abs(value - (made[i] ?? NaN)) <= most ? most : Math.abs(value - (made[i] ?? NaN))), 0);
}

const sizes = [
  [1, 1, 1],
  [3, 5, 7],
  [14, 32, 4],
  [15, 33, 17],
  [29, 47, 300],
  [40, 16, 513],
  [57, 10, 20],
  [100, 65, 260],
  [2, 64, 600],
  [20, 1100, 9],
  [5, 2100, 6],
] as const;
const cases = sizes.flatMap(([rows, columns, depth]) =>
  [false, true].flatMap((leftAcross) =>
    [false, true].map((rightAcross): Shape & { readonly name: string } => {
      const name = `${rows}x${depth}${leftAcross ? " across" : ""} times ${depth}x${columns}${rightAcross ? " across" : ""}`;
      return { name, rows, columns, depth, leftAcross, rightAcross };
    }),
  ),
);

test.skipIf(none).each(cases)("$name is what a sum of products gives, to 1e-5 of the depth's root, and touches nothing else", (shape) => {
  const ways: readonly Partial<Shape>[] = [
    {},
    { batches: [3, 1], scale: 0.25 },
    { batches: [2, 3], third: "matrix", relu: true },
    { third: "row", relu: true },
    { batches: [2, 1], third: "gate" },
  ];
  for (const way of ways) {
    const product = productOf({ ...shape, ...way });
    const inputs = inputsOf(product);
    const wanted = expected(product, inputs);
    for (const side of ["begin", "end"] as const) {
      expect(worst(computed(product, inputs, { side }), wanted)).toBeLessThan(1e-5 * Math.sqrt(shape.depth));
    }
  }
});

test.skipIf(none).each([
  { name: "rows", shape: { rows: 60, columns: 40, depth: 30, third: "row" } },
  { name: "columns", shape: { rows: 20, columns: 140, depth: 30, third: "row" } },
  { name: "columns with a matrix", shape: { rows: 20, columns: 141, depth: 300, third: "matrix", rightAcross: true } },
  { name: "batches", shape: { rows: 20, columns: 14, depth: 30, batches: [7, 2], third: "matrix", leftAcross: true } },
  { name: "one batch a thread", shape: { rows: 9, columns: 14, depth: 30, batches: [3, 1] } },
] as const)("three shares of $name make the whole product", ({ shape }) => {
  const product = productOf(shape);
  const inputs = inputsOf(product);
  expect(worst(computed(product, inputs, { shares: 3 }), expected(product, inputs))).toBeLessThan(1e-4);
});

test.skipIf(none)("a product reads heads where they are and writes them where they belong", () => {
  const [images, heads, length, size] = [2, 3, 20, 16];
  const width = heads * size;
  const view = { batches: [length * width, size], row: width } as const;
  const product: Product = {
    ...productOf({ rows: length, columns: size, depth: length }),
    batches: [images, heads],
    left: { batches: [heads * length * length, length * length], row: length, depth: 1 },
    right: { batches: view.batches, depth: view.row, column: 1 },
    result: view,
  };
  const inputs = [values(images * heads * length * length, 1), values(images * length * width, 2), values(images * length * width, 3)];
  expect(worst(computed(product, inputs), expected(product, inputs))).toBeLessThan(1e-5);
});

test.skipIf(none).each([
  { name: "both sides as they are", leftAcross: false, rightAcross: false },
  { name: "both across", leftAcross: true, rightAcross: true },
])("rows that lie apart are read and written where they are, and what is between them stays: $name", ({ leftAcross, rightAcross }) => {
  const [rows, columns, depth] = [37, 45, 270];
  const [left, right, made] = [(leftAcross ? rows : depth) + 3, (rightAcross ? depth : columns) + 5, columns + 7];
  const [leftSize, rightSize, size] = [(leftAcross ? depth : rows) * left + 2, (rightAcross ? columns : depth) * right + 1, rows * made + 4];
  const product: Product = {
    ...productOf({ rows, columns, depth, batches: [2, 2], third: "matrix", relu: true, scale: -0.5 }),
    left: { batches: [2 * leftSize, leftSize], ...(leftAcross ? { row: 1, depth: left } : { row: left, depth: 1 }) },
    right: { batches: [0, rightSize], ...(rightAcross ? { depth: 1, column: right } : { depth: right, column: 1 }) },
    result: { batches: [2 * size, size], row: made },
  };
  const inputs = [values(4 * leftSize, 1), values(2 * rightSize, 2), values(4 * size, 3)];
  const wanted = expected(product, inputs);
  for (const shares of [1, 3]) {
    const floats = computed(product, inputs, { shares });
    expect(worst(floats, wanted)).toBeLessThan(1e-4);
    expect(floats.filter(Number.isNaN)).toHaveLength(writtenFloats(product) - 4 * rows * columns);
  }
});

test.skipIf(none)("NaN and infinity go through a product, and through Relu", () => {
  const product = productOf({ rows: 30, columns: 20, depth: 10, relu: true, third: "row" });
  const inputs = inputsOf(product);
  const [left] = inputs;
  left?.set([NaN], 5 * 10);
  left?.set([Infinity], 7 * 10);
  const made = computed(product, inputs);
  expect([...made.subarray(5 * 20, 6 * 20)].every(Number.isNaN)).toBe(true);
  expect([...made.subarray(7 * 20, 8 * 20)].every((value) => value === 0 || value === Infinity)).toBe(true);
  expect(made.slice(0, 5 * 20).every(Number.isFinite)).toBe(true);
});
