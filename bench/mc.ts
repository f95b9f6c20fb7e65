import koffi from "koffi";
import { productCode, productScratchBytes, type Product } from "../backends/onnxruntime/machine/product.ts";
const libc = koffi.load("libc.so.6");
const mmap = libc.func("void* mmap(void*, size_t, int, int, int, int64_t)");
const mprotect = libc.func("int mprotect(void*, size_t, int)");
const memcpy = libc.func("void* memcpy(void*, void*, size_t)");
const proto = koffi.proto("void (void*, void*, void*, void*, void*)");
function load(code: Uint8Array) {
  const size = Math.ceil(code.length / 4096) * 4096;
  const p = mmap(null, size, 3, 0x22, -1, 0);
  memcpy(p, code, code.length);
  if (mprotect(p, size, 5) !== 0) throw new Error("mprotect");
  return (...a: unknown[]) => koffi.call(p, proto, ...a);
}
function aligned(bytes: number) { const b = new SharedArrayBuffer(bytes + 4096); const f = new Uint8Array(b); const ad = koffi.address(f); const off = Number((4096n - (ad % 4096n)) % 4096n); return new Float32Array(b, off, bytes >> 2); }
type Opt = { addend?: Product["addend"]; relu?: boolean; scale?: number };
function make(M: number, N: number, K: number, tA: boolean, tB: boolean, batch: readonly [number, number] = [1, 1], { addend = "none", relu = false, scale = 1 }: Opt = {}): Product {
  return { batches: batch, rows: M, columns: N, depth: K, left: { batches: [M * K * batch[1], M * K], row: tA ? 1 : K, depth: tA ? M : 1 }, right: { batches: [K * N * batch[1], K * N], depth: tB ? 1 : N, column: tB ? K : 1 }, result: { batches: [M * N * batch[1], M * N], row: N }, scale, addend, relu };
}
function run(p: Product, check: boolean) {
  const code = productCode(p);
  const f = load(code);
  const n = p.batches[0] * p.batches[1];
  const A = aligned(n * p.rows * p.depth * 4), B = aligned(n * p.depth * p.columns * 4), C = aligned(n * p.rows * p.columns * 4), D = aligned(n * p.rows * p.columns * 4), S = aligned(productScratchBytes(p));
  for (const x of [A, B, D]) for (let i = 0; i < x.length; i++) x[i] = Math.random() - 0.5;
  const args = [A, B, C, D, S].map((x) => koffi.address(x));
  f(...args);
  if (check) {
    let worst = 0;
    for (let o = 0; o < p.batches[0]; o++) for (let b = 0; b < p.batches[1]; b++) for (let i = 0; i < p.rows; i++) for (let j = 0; j < p.columns; j++) {
      let s = 0;
      for (let k = 0; k < p.depth; k++) s += A[o * p.left.batches[0] + b * p.left.batches[1] + i * p.left.row + k * p.left.depth]! * B[o * p.right.batches[0] + b * p.right.batches[1] + k * p.right.depth + j * p.right.column]!;
      const at = o * p.result.batches[0] + b * p.result.batches[1] + i * p.result.row + j;
      s = s * p.scale + (p.addend === "row" ? D[j]! : p.addend === "matrix" ? D[at]! : 0);
      if (p.relu) s = Math.max(0, s);
      worst = Math.max(worst, Math.abs(s - C[at]!));
    }
    return worst;
  }
  let best = Infinity;
  for (let r = 0; r < 30; r++) { const t = performance.now(); f(...args); best = Math.min(best, performance.now() - t); }
  return `${best.toFixed(3)} ms ${(2 * n * p.rows * p.columns * p.depth / best / 1e6).toFixed(0)} GF/s code ${code.length}`;
}
if (process.argv[2] === "check") {
  for (const [M, N, K] of [[1, 1, 1], [3, 5, 7], [14, 32, 4], [15, 33, 17], [29, 47, 300], [40, 16, 513], [28, 10, 20], [100, 65, 260], [2, 64, 600], [20, 1100, 9], [16, 2050, 270]] as const)
    for (const tA of [false, true]) for (const tB of [false, true]) for (const batch of [[1, 1], [3, 1], [2, 3]] as const) for (const addend of ["none", "row", "matrix"] as const) {
      const w = run(make(M, N, K, tA, tB, batch, { addend, relu: addend !== "none", scale: batch[0] === 3 ? 0.25 : 1 }), true) as number;
      if (!(w < 1e-4)) console.log("WRONG", M, N, K, tA, tB, batch, addend, w);
    }
} else for (const [M, N, K, tA, tB, batch] of [[2048, 256, 256, false, false, 1], [2048, 1024, 256, false, false, 1], [2048, 256, 1024, false, false, 1], [2048, 1024, 256, false, true, 1], [2048, 256, 1024, false, true, 1], [256, 256, 2048, true, false, 1], [256, 1024, 2048, true, false, 1], [1024, 256, 2048, true, false, 1], [128, 128, 64, false, true, 64], [128, 64, 128, false, false, 64], [128, 64, 128, true, false, 64], [128, 512, 784, false, false, 1], [128, 512, 256, false, true, 1], [784, 512, 128, true, false, 1]] as const)
  console.log(`${batch}x ${M}x${N}x${K} ${tA ? "T" : "N"}${tB ? "T" : "N"}`, run(make(M, N, K, tA, tB, [batch, 1]), false));
