import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tensor } from "../../core/index.ts";
import { parametersOf, subjectData, type Subject } from "../subjects/index.ts";
import { adamEpsilon } from "./adam-epsilon.ts";
import { startTrainer, type Trainer } from "./trainer.ts";

/** Memory layouts that PyTorch trains images in. */
export type Layout = "contiguous" | "channels_last";

/** The interpreter that has PyTorch, or undefined with nothing installed: the one of `npm run bench:setup`, or that of BENCH_PYTHON. */
export function findPython(): string | undefined {
  const python = process.env["BENCH_PYTHON"] ?? join(import.meta.dirname, "../.venv/bin/python");
  return existsSync(python) ? python : undefined;
}

/** Writes a subject's weights and rows where PyTorch reads them. */
export async function writeSubject(folder: string, subject: Subject): Promise<void> {
  const { x, labels } = subjectData(subject);
  const tensors = [x, labels, ...Object.values(parametersOf(subject.build()))];
  await writeTensors(folder, tensors, { network: subject.pytorch, learningRate: subject.learningRate, epsilon: adamEpsilon });
}

/** Writes tensors and settings as `subject_files.py` reads them. */
export async function writeTensors(folder: string, tensors: readonly Tensor[], settings: Readonly<Record<string, unknown>>): Promise<void> {
  const index = { ...settings, tensors: tensors.map(({ dtype, shape }) => ({ dtype, shape })) };
  await writeFile(join(folder, "tensors.json"), JSON.stringify(index));
  const bytes = tensors.map(({ data }) => {
    if (!ArrayBuffer.isView(data)) throw new TypeError("subjects have numbers only");
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
  await writeFile(join(folder, "tensors.bin"), Buffer.concat(bytes));
}

/** PyTorch's environment: left alone, so that it runs as its makers tuned it. */
export function pytorchEnvironment(threads: number): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, OPENBLAS_NUM_THREADS: ___, ...environment } = process.env;
  return { ...environment, OMP_NUM_THREADS: String(threads) };
}

/** Starts PyTorch on a written subject. */
export function startPytorch(
  python: string,
  folder: string,
  { threads, layout }: { readonly threads: number; readonly layout: Layout },
): Promise<Trainer> {
  return startTrainer({
    command: python,
    args: [join(import.meta.dirname, "pytorch_steps.py"), folder, String(threads), layout],
    // Left alone, so that it runs as its makers tuned it.
    env: { OMP_NUM_THREADS: String(threads), OPENBLAS_CORETYPE: undefined, OPENBLAS_L2_SIZE: undefined, OPENBLAS_NUM_THREADS: undefined },
  });
}
