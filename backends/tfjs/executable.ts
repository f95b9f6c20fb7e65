import { clone, dispose, keep, tidy, zeros, type Tensor as TfTensor } from "@tensorflow/tfjs-core";
import {
  EspalierError,
  StateStore,
  checkFeeds,
  checkState,
  stateNames,
  type CompileOptions,
  type DType,
  type Executable,
  type Graph,
  type KernelTiming,
  type StateValue,
  type Tensor,
  type Tensors,
  type ValueName,
} from "../../core/index.ts";
import type { TfjsDevice } from "./device.ts";
import { kernels } from "./kernels/index.ts";
import type { KernelContext } from "./kernels/kernel.ts";
import { download, memoryType, upload } from "./memory.ts";
import { Plan, type Step } from "./plan.ts";

/** What an executable needs of the opened device. */
export interface DeviceLink {
  readonly device: TfjsDevice;
  /** Makes this device the one that TensorFlow.js computes on; it has one for the whole process. */
  activate(): void;
  /** Runs work and throws what the device reports about it afterwards: BACKEND_RUN_FAILED, BACKEND_LOST. */
  guard<T>(work: () => T): Promise<T>;
}

/** Names of the operators that have kernels. */
export const operatorNames: ReadonlySet<string> = new Set(Object.keys(kernels));

/** Plans are kept for the batch sizes used last; a run over a dataset has two of them. */
const maxPlans = 8;

/** A graph interpreted node by node over TensorFlow.js; state stays on the device as tensors that are replaced, never written into. */
export class TfjsExecutable implements Executable {
  readonly graph: Graph;
  /** Only where kernels compute while they are called; on graphics hardware they are merely put in a queue. */
  readonly profile?: (feeds: Tensors) => Promise<readonly KernelTiming[]>;
  #link: DeviceLink;
  #plans = new Map<number, Plan>();
  #state: StateStore<TfTensor>;

  constructor(graph: Graph, link: DeviceLink, { state, shareStateWith }: CompileOptions = {}) {
    this.graph = graph;
    this.#link = link;
    if (link.device === "wasm") this.profile = (feeds) => this.#profile(feeds);
    link.activate();
    // Whatever cannot run is found now, and not in the first run.
    new Plan(graph, { batch: 1, device: link.device }).dispose();
    if (shareStateWith !== undefined && !(shareStateWith instanceof TfjsExecutable)) {
      throw new EspalierError("ARGUMENT_INVALID", `compile "${graph.name}": shareStateWith is of another backend; compile both graphs on one`, {});
    }
    this.#state = new StateStore<TfTensor>(graph, {
      create: (type, first) => (first === undefined ? deviceZeros(type) : upload(`state "${type.name}"`, first)),
      release: (value) => value.dispose(),
      ...(state !== undefined && { first: state }),
      shareWith: shareStateWith?.sharedState,
    });
  }

  /** For another executable of this class. */
  get sharedState(): StateStore<TfTensor> {
    return this.#state;
  }

  async run(feeds: Tensors): Promise<Tensors> {
    return this.#run(feeds);
  }

  async #profile(feeds: Tensors): Promise<readonly KernelTiming[]> {
    const start = performance.now();
    const timings: KernelTiming[] = [];
    await this.#run(feeds, ({ context: { node } }, work) => {
      const from = performance.now();
      work();
      timings.push({ node: node.name, kernel: node.operator, startMs: from - start, durationMs: performance.now() - from });
    });
    return timings;
  }

  async #run(feeds: Tensors, watch?: Watch): Promise<Tensors> {
    this.#refuseDisposed();
    const batch = checkFeeds(this.graph, feeds);
    const link = this.#link;
    const results = await link.guard(() => {
      link.activate();
      return this.#compute(this.#plan(batch), feeds, watch);
    });
    try {
      const entries = [...results].map(async ([name, result]) => [name, await download(result, this.#outputType(name))] as const);
      return Object.fromEntries(await Promise.all(entries));
    } finally {
      dispose([...results.values()]);
    }
  }

  async readState(names?: readonly string[]): Promise<Tensors> {
    this.#refuseDisposed();
    const wanted = new Set(stateNames(this.graph, names));
    const types = this.graph.state.filter((type) => wanted.has(type.name));
    this.#link.activate();
    // A second handle on the memory: a run that replaces the state meanwhile does not free it.
    const values = types.map((type) => ({ type, value: keep(clone(this.#state.get(type.name))) }));
    try {
      return Object.fromEntries(await Promise.all(values.map(async ({ type, value }) => [type.name, await download(value, type.dtype)] as const)));
    } finally {
      dispose(values.map(({ value }) => value));
    }
  }

  async writeState(state: Tensors): Promise<void> {
    this.#refuseDisposed();
    checkState(this.graph, state);
    await this.#link.guard(() => {
      this.#link.activate();
      for (const [name, value] of Object.entries(state)) this.#state.replace(name, upload(`state "${name}"`, value));
    });
  }

  async dispose(): Promise<void> {
    this.#state.dispose();
    for (const plan of this.#plans.values()) plan.dispose();
    this.#plans.clear();
  }

  /** Runs every node and applies the updates; the results are kept and the caller's to dispose. */
  #compute(plan: Plan, feeds: Tensors, watch: Watch = (_step, work) => work()): ReadonlyMap<string, TfTensor> {
    const fed = new Map(Object.entries(feeds).map(([name, value]) => [name, upload(`feed "${name}"`, value)]));
    let results: ReadonlyMap<string, TfTensor> = new Map();
    try {
      tidy(() => {
        const values = new Map<ValueName, TfTensor>(fed);
        const valueOf = (name: ValueName): TfTensor => values.get(name) ?? plan.constant(name) ?? this.#state.get(name);
        for (const step of plan.steps) {
          watch(step, () => runStep(step, { values, valueOf, feeds }));
          for (const name of step.lastUses) {
            values.get(name)?.dispose();
            values.delete(name);
          }
        }
        const { outputs, updates } = plan.graph;
        const hold = (value: ValueName): TfTensor => keep(clone(valueOf(value)));
        results = new Map(Object.entries(outputs).map(([name, value]) => [name, hold(value)]));
        // All at once: an update may read what another one replaces.
        const next = Object.entries(updates).map(([state, value]) => [state, hold(value)] as const);
        for (const [state, value] of next) this.#state.replace(state, value);
      });
      return results;
    } finally {
      dispose([...fed.values()]);
    }
  }

  #plan(batch: number): Plan {
    const known = this.#plans.get(batch);
    const plan = known ?? new Plan(this.graph, { batch, device: this.#link.device });
    this.#plans.delete(batch);
    this.#plans.set(batch, plan); // the most recent is last
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > maxPlans && oldest !== undefined) {
      this.#plans.get(oldest)?.dispose();
      this.#plans.delete(oldest);
    }
    return plan;
  }

  #outputType(name: string): DType {
    return this.graph.values[this.graph.outputs[name] ?? ""]?.dtype ?? "float32"; // every output is a value
  }

  #refuseDisposed(): void {
    if (this.#state.disposed) throw new EspalierError("ARGUMENT_INVALID", `the executable of graph "${this.graph.name}" was disposed`, {});
  }
}

/** How each step's work is called: by default simply so. */
type Watch = (step: Step, work: () => void) => void;

/** What a step reads from. */
interface StepSources {
  readonly values: Map<ValueName, TfTensor>;
  readonly valueOf: (name: ValueName) => TfTensor;
  readonly feeds: Tensors;
}

function runStep({ kernel, context }: Step, { values, valueOf, feeds }: StepSources): void {
  const { node } = context;
  const optional = (index: number): TfTensor | undefined => {
    const name = node.inputs[index] ?? "";
    return name === "" ? undefined : valueOf(name);
  };
  const kernelContext: KernelContext = {
    ...context,
    // Read only by kernels that want every input: constants are copied to the device when they are read.
    get inputs() {
      return node.inputs.map((_, index) => optional(index));
    },
    input: (index) => {
      const value = optional(index);
      if (value === undefined) throw new EspalierError("GRAPH_INVALID", `${node.name} (${node.operator}) has no input ${index}`, { node: node.name });
      return value;
    },
    host: (index): Tensor | undefined => context.constant(index) ?? feeds[node.inputs[index] ?? ""],
  };
  const results = runKernel(kernel, kernelContext);
  node.outputs.forEach((name, i) => {
    const result = results[i];
    if (result !== undefined) values.set(name, result);
  });
}

function runKernel(kernel: Step["kernel"], context: KernelContext): readonly TfTensor[] {
  const { node } = context;
  try {
    return tidy(() => {
      const results = kernel.run(context);
      return Array.isArray(results) ? [...(results as readonly TfTensor[])] : [results as TfTensor]; // either one or many
    });
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError(
      "BACKEND_RUN_FAILED",
      `${node.name} (${node.operator}) failed in TensorFlow.js: ${reason}`,
      { node: node.name },
      { cause },
    );
  }
}

function deviceZeros({ name, shape, dtype }: StateValue): TfTensor {
  const type = memoryType(dtype);
  if (type === undefined)
    throw new EspalierError("TENSOR_INVALID", `state "${name}" is ${dtype}, which TensorFlow.js does not have`, { state: name });
  return keep(zeros([...shape], type));
}
