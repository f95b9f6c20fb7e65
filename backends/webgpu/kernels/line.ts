import type { Tuning } from "../kernel.ts";
import type { Scalar } from "../storage.ts";
import { flatWorkgroup, spreadWorkgroups, workgroupIndex, type Shader, type Workgroups } from "../wgsl.ts";

/** Threads that share a long line. */
const sharingThreads = 128;

/** Kernels that fold lines of elements into one value each: reductions, softmax, losses. */
export interface LineKernel {
  readonly workgroups: Workgroups;
  readonly width: number;
  /** WGSL that names this thread's `line` and its `lane` among those that share it. */
  readonly prologue: string;
  /** WGSL: an element of the line that is this thread's. */
  readonly firstElement: string;
  /** WGSL loop over the elements of a line that are this thread's: `k`. */
  readonly each: (body: string) => string;
  /** WGSL that folds the threads' `value`s (a variable) into one that all of them then have. */
  readonly combine: (shader: Shader, value: string, scalar: Scalar, fold: (a: string, b: string) => string) => string;
  /** WGSL that one thread a line runs. */
  readonly once: (body: string) => string;
}

/** Plans a kernel over `lines` lines of `length` elements. */
export function lineKernel({ tiles }: Pick<Tuning, "tiles">, { lines, length }: { readonly lines: number; readonly length: number }): LineKernel {
  // Many lines keep a GPU busy with a thread each. Software adapters run a workgroup's threads in turn and pay for every barrier: there,
  // sharing took 35 ms where a thread a line took 1 (512 sums of 128).
  const shares = tiles ? length >= sharingThreads && lines < 16_384 : length >= 1024 && lines < 64;
  if (!shares) return threadPerLine(lines, length);
  let shared = 0;
  return {
    firstElement: "lane",
    workgroups: spreadWorkgroups(lines),
    width: sharingThreads,
    prologue: `let line = ${workgroupIndex(lines)};\nif (line >= ${lines}u) { return; }`,
    each: (body) => `for (var k = lane; k < ${length}u; k += ${sharingThreads}u) {\n${body}\n}`,
    combine(shader, value, scalar, fold) {
      const name = `shared${(shared += 1)}`;
      shader.share(name, scalar, sharingThreads);
      return [
        `${name}[lane] = ${value};`,
        "workgroupBarrier();",
        `for (var half = ${sharingThreads / 2}u; half > 0u; half /= 2u) {`,
        `if (lane < half) { ${name}[lane] = ${fold(`${name}[lane]`, `${name}[lane + half]`)}; }`,
        "workgroupBarrier();",
        "}",
        `${value} = ${name}[0];`,
      ].join("\n");
    },
    once: (body) => `if (lane == 0u) {\n${body}\n}`,
  };
}

function threadPerLine(lines: number, length: number): LineKernel {
  const groups = Math.ceil(lines / flatWorkgroup);
  return {
    firstElement: "0u",
    workgroups: spreadWorkgroups(groups),
    width: flatWorkgroup,
    prologue: `let line = ${workgroupIndex(groups)} * ${flatWorkgroup}u + lane;\nif (line >= ${lines}u) { return; }`,
    each: (body) => `for (var k = 0u; k < ${length}u; k++) {\n${body}\n}`,
    combine: () => "",
    once: (body) => body,
  };
}
