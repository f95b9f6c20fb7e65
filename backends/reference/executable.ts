import {
  checkFeeds,
  checkState,
  EspalierError,
  StateStore,
  stateNames,
  zeros,
  type Executable,
  type Graph,
  type KernelTiming,
  type Tensor,
  type Tensors,
  type ValueName,
} from "../../core/index.ts";
import type { NumericDType, NumericTensor } from "./kernel.ts";
import { runSteps, type Step, type Watch } from "./plan.ts";

/** What a reference executable is made of. */
export interface ReferenceExecutableOptions {
  readonly steps: readonly Step[];
  readonly state?: Tensors;
  readonly shareStateWith?: ReferenceExecutable | undefined;
}

/**
 * A graph run node by node. State tensors are never written in place: an update puts a new tensor in the old one's place, so values that
 * share memory inside a run cannot be changed under it. A run is one uninterrupted piece of JavaScript.
 */
export class ReferenceExecutable implements Executable {
  readonly graph: Graph;
  readonly #steps: readonly Step[];
  readonly #store: StateStore<NumericTensor>;

  constructor(graph: Graph, { steps, state = {}, shareStateWith }: ReferenceExecutableOptions) {
    this.graph = graph;
    this.#steps = steps;
    this.#store = new StateStore<NumericTensor>(graph, {
      create: (type, first) => copyOf(first ?? zeros(type.dtype as NumericDType, type.shape)), // strings were refused while planning
      first: state,
      shareWith: shareStateWith === undefined ? undefined : shareStateWith.#store,
    });
  }

  async run(feeds: Tensors): Promise<Tensors> {
    return this.#run(feeds);
  }

  async profile(feeds: Tensors): Promise<readonly KernelTiming[]> {
    const start = performance.now();
    const timings: KernelTiming[] = [];
    this.#run(feeds, (node, work) => {
      const from = performance.now();
      work();
      timings.push({ node: node.name, kernel: node.operator, startMs: from - start, durationMs: performance.now() - from });
    });
    return timings;
  }

  #run(feeds: Tensors, watch?: Watch): Tensors {
    this.#checkLive("run");
    checkFeeds(this.graph, feeds);
    const values = new Map<ValueName, NumericTensor>();
    for (const [name, value] of Object.entries(this.graph.constants)) values.set(name, value as NumericTensor); // strings were refused
    for (const { name } of this.graph.inputs) values.set(name, feeds[name] as NumericTensor);
    for (const { name } of this.graph.state) values.set(name, this.#store.get(name));
    runSteps(this.#steps, values, watch);

    const outputs = Object.entries(this.graph.outputs).map(([name, value]) => [name, copyOf(this.#value(values, value))] as const);
    const updates = Object.entries(this.graph.updates).map(([state, value]) => [state, this.#value(values, value)] as const);
    const fed = new Set(Object.values(feeds).map((feed) => feed.data));
    for (const [state, value] of updates) this.#store.replace(state, fed.has(value.data) ? copyOf(value) : value);
    return Object.fromEntries(outputs);
  }

  async readState(names?: readonly string[]): Promise<Tensors> {
    this.#checkLive("readState");
    return Object.fromEntries(stateNames(this.graph, names).map((name) => [name, copyOf(this.#store.get(name))]));
  }

  async writeState(state: Tensors): Promise<void> {
    this.#checkLive("writeState");
    checkState(this.graph, state);
    for (const [name, value] of Object.entries(state)) this.#store.replace(name, copyOf(value));
  }

  async dispose(): Promise<void> {
    this.#store.dispose();
  }

  #value(values: ReadonlyMap<ValueName, NumericTensor>, name: ValueName): NumericTensor {
    const value = values.get(name);
    if (value === undefined)
      throw new EspalierError("GRAPH_INVALID", `graph "${this.graph.name}" names "${name}", which nothing defines`, { value: name });
    return value;
  }

  #checkLive(what: string): void {
    if (this.#store.disposed) throw new EspalierError("ARGUMENT_INVALID", `${what}: the executable of "${this.graph.name}" was disposed`, {});
  }
}

function copyOf(value: Tensor): NumericTensor {
  return { ...value, shape: [...value.shape], data: value.data.slice() } as NumericTensor; // strings were refused while planning
}
