import {
  bindBatch,
  EspalierError,
  widenFloat16,
  type Backend,
  type Capabilities,
  type CompileOptions,
  type Executable,
  type Graph,
} from "../../core/index.ts";
import { DeviceSession } from "./device.ts";
import { WebGpuExecutable } from "./executable.ts";
import type { Tuning } from "./kernel.ts";
import { supportedOperators, supports } from "./kernels/index.ts";
import { describeAdapter, isSoftwareAdapter, requestAdapter } from "./adapter.ts";
import { scalarOf } from "./storage.ts";

/** How the engine is opened. */
export interface WebGpuOptions {
  /** The implementation: `navigator.gpu` in a page or worker, `create([])` of npm's "webgpu" in Node. */
  readonly gpu: GPU;
  /**
   * Whether products of matrices share tiles in workgroup memory. By default on real GPUs only: on a software adapter the direct kernels were 1.5 to
   * 2.5 times faster (facts on WebGPU).
   */
  readonly tiles?: boolean;
}

const capabilities: Capabilities = { operators: supportedOperators, memory: "device", concurrent: false };

/**
 * Opens our own WebGPU engine.
 *
 * @throws BACKEND_UNAVAILABLE without an adapter, with what to do
 * @example const backend = await openWebGpu({ gpu: navigator.gpu });
 */
export async function openWebGpu({ gpu, tiles }: WebGpuOptions): Promise<WebGpuBackend> {
  const adapter = await requestAdapter(gpu);
  const session = await DeviceSession.open(gpu, adapter);
  const tuning: Tuning = { tiles: tiles ?? !isSoftwareAdapter(adapter), maxBindings: session.limits.maxBindings };
  return new WebGpuBackend(session, { device: describeAdapter(adapter), tuning });
}

/** An opened WebGPU device. */
export class WebGpuBackend implements Backend {
  readonly name = "webgpu";
  readonly device: string;
  readonly capabilities: Capabilities = capabilities;
  readonly #session: DeviceSession;
  readonly #tuning: Tuning;
  readonly #executables = new Set<WebGpuExecutable>();
  #disposed = false;

  constructor(session: DeviceSession, { device, tuning }: { readonly device: string; readonly tuning: Tuning }) {
    this.#session = session;
    this.device = device;
    this.#tuning = tuning;
  }

  /** Buffers on the device, for tests that count them before and after. */
  get liveBuffers(): number {
    return this.#session.liveBuffers;
  }

  async compile(graph: Graph, { state = {}, shareStateWith, signal }: CompileOptions = {}): Promise<WebGpuExecutable> {
    throwIfAborted(graph, signal);
    this.#session.check();
    // Whatever cannot run is found now, and not in the first run.
    checkTypes(bindBatch(widenFloat16(graph), 1, { supports }));
    const executable = await WebGpuExecutable.create(this.#session, graph, {
      tuning: this.#tuning,
      state,
      shareStateWith: this.#own(shareStateWith),
      onDispose: (disposed) => this.#executables.delete(disposed),
    });
    this.#executables.add(executable);
    return executable;
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const executable of this.#executables) executable.release();
    this.#executables.clear();
    await this.#session.close();
  }

  #own(other: Executable | undefined): WebGpuExecutable | undefined {
    if (other === undefined) return undefined;
    if (other instanceof WebGpuExecutable && this.#executables.has(other)) return other;
    throw new EspalierError("ARGUMENT_INVALID", "shareStateWith must be an executable of the same webgpu backend that is in use", {});
  }
}

function throwIfAborted(graph: Graph, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EspalierError("CANCELLED", `compiling "${graph.name}" was stopped by its signal`, {}, { cause: signal.reason });
}

/** float64 and strings have no place on a GPU; said when compiling, not in the first run. */
function checkTypes(graph: Graph): void {
  const computed = [
    ...graph.inputs.map(({ name }) => name),
    ...graph.state.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ];
  const wrong = computed.find((name) => scalarOf(graph.values[name]?.dtype ?? "float32") === undefined);
  if (wrong === undefined) return;
  throw new EspalierError(
    "GRAPH_INVALID",
    `"${wrong}" in graph "${graph.name}" is ${graph.values[wrong]?.dtype}; the webgpu backend computes with float32, float16, int32, int64, uint8 and bool`,
    { value: wrong },
  );
}
