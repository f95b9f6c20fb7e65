import wasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import { openReference, referenceDriver } from "../../backends/reference/index.ts";
import { tfjsDriver } from "../../backends/tfjs/index.ts";
import { webGpuDriver } from "../../backends/webgpu/index.ts";
import type { BackendDriver } from "../../core/index.ts";
import { casesInBrowser, conformanceCases } from "../conformance/cases.ts";

/** What came of the suite on one backend in this browser. */
export interface ConformanceOutcome {
  readonly passed: number;
  /** Cases left out because the operator is lowered here and has another. */
  readonly lowered: number;
  /** Case to message. */
  readonly failures: Readonly<Record<string, string>>;
  /** Names among the skipped ones that no case has. */
  readonly unknown: readonly string[];
}

const wasmPaths = { "tfjs-backend-wasm.wasm": wasm, "tfjs-backend-wasm-simd.wasm": simd, "tfjs-backend-wasm-threaded-simd.wasm": simd };

const drivers: readonly BackendDriver[] = [
  referenceDriver,
  webGpuDriver({ gpu: navigator.gpu }),
  tfjsDriver({ device: "wasm", wasmPaths }),
  tfjsDriver({ device: "webgl" }),
  tfjsDriver({ device: "webgpu" }),
];

/** Which cases are run: those of one part, in order, on a device of its own. */
interface ConformanceRequest {
  readonly name: string;
  readonly skipped: readonly string[];
  /** From 0. */
  readonly part: number;
  readonly parts: number;
}

/** Runs every case of the part but the skipped ones. */
async function runConformance({ name, skipped, part, parts }: ConformanceRequest): Promise<ConformanceOutcome> {
  const driver = drivers.find((item) => item.name === name);
  if (driver === undefined) throw new Error(`no driver "${name}" among ${drivers.map((item) => item.name).join(", ")}`);
  const backend = await driver.open();
  const reference = openReference();
  const all = partOf(conformanceCases(), part, parts);
  const inBrowser = new Set(casesInBrowser(backend.capabilities).map((item) => item.name));
  const cases = all.filter((item) => inBrowser.has(item.name));
  const failures: Record<string, string> = {};
  let passed = 0;
  for (const item of cases) {
    if (skipped.includes(item.name)) continue;
    try {
      await item.run(backend, reference);
      passed += 1;
    } catch (error) {
      failures[item.name] = error instanceof Error ? error.message : String(error);
    }
  }
  await backend.dispose();
  const left = all.filter(({ name }) => !skipped.includes(name)).length;
  const run = cases.filter(({ name }) => !skipped.includes(name)).length;
  return { passed, lowered: left - run, failures, unknown: skipped.filter((skip) => !conformanceCases().some((item) => item.name === skip)) };
}

function partOf<T>(items: readonly T[], part: number, parts: number): readonly T[] {
  const size = Math.ceil(items.length / parts);
  return items.slice(part * size, (part + 1) * size);
}

Object.assign(globalThis, { runConformance });
