import {
  bindBatch,
  bytesPerElement,
  elementCount,
  supportsAll,
  toNumbers,
  type Graph,
  type KernelTiming,
  type StateStore,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { supports } from "./capabilities.ts";
import { findLowering } from "./lowering/index.ts";
import { compileKernels, type KernelHost } from "./kernels/compile.ts";
import { isFloatArray, type FloatArray } from "./optimizers/index.ts";
import { isBindable, openBoundSession, type NativeRuntime } from "./native/bound-session.ts";
import { isWorthHelp } from "./kernels/optimizer-kernels.ts";
import { checkGraph, planGraph, type OptimizerStep, type Plan, type Source } from "./plan.ts";
import { graphKey, type CachedPlan, type PlanCache } from "./plan-cache.ts";
import { profileModel } from "./profiling.ts";
import type { Runtime } from "./runtime.ts";
import type { SessionSettings } from "./session-settings.ts";
import { openSession, type Session } from "./session.ts";
import { copyTensor, type StateMemory } from "./state-memory.ts";
import type { TeamSource } from "./team.ts";

/** Sessions kept for different batch sizes of one graph: full batches, the last one, and those of validation. */
const maxPlans = 4;

/** State above this stays out of the model's bytes, which protobuf limits to 2 GiB. */
const maxPackedBytes = 2 ** 30;

interface Loaded {
  readonly plan: Plan;
  readonly session: Session | undefined;
  /** Whether other threads help with its kernels or optimizers. */
  readonly isHelped: boolean;
}

/** One run. */
interface Step {
  readonly feeds: Tensors;
  readonly batch: number;
  readonly watch: (step: OptimizerStep, work: () => void) => void;
}

/** What an engine's programs have in common. */
export interface ProgramHost {
  /** onnxruntime-node, loaded when a session needs it: bound sessions do without. */
  readonly runtime: () => Promise<Runtime>;
  readonly settings: SessionSettings;
  readonly memory: StateMemory;
  /** Plans of graphs that were compiled before. */
  readonly plans: PlanCache;
  /** The C API, where it can be had: sessions then read and write the memory of the state. */
  readonly native?: NativeRuntime;
}

/** One graph with its state and its sessions. */
export class Program {
  readonly store: StateStore<Tensor>;
  readonly #graph: Graph;
  readonly #host: ProgramHost;
  /** By batch size, 0 for every size; the last used at the end. */
  readonly #loaded = new Map<number, Loaded>();
  readonly #anyBatch: boolean;
  /** Whether weights may be written into the model: nobody changes them between runs, and ONNX Runtime packs them once. */
  #packed: boolean;
  /** `graphKey`, once it was asked for. */
  #key: { readonly key: string | undefined } | undefined;

  constructor(graph: Graph, store: StateStore<Tensor>, host: ProgramHost, { shared }: { shared: boolean }) {
    this.#graph = graph;
    this.store = store;
    this.#host = host;
    this.#anyBatch = runsAtAnyBatch(graph);
    const bytes = graph.state.reduce((sum, { dtype, shape }) => sum + elementCount(shape) * (dtype === "string" ? 0 : bytesPerElement[dtype]), 0);
    this.#packed = !shared && Object.keys(graph.updates).length === 0 && bytes <= maxPackedBytes;
  }

  /** Loads what can be loaded before a batch size is known, so that a missing kernel shows at once. */
  async prepare(): Promise<void> {
    if (this.#anyBatch) {
      await this.#load(0);
      return;
    }
    this.#startEarly();
    const key = this.#cacheKey();
    if (key === undefined || !this.#host.plans.hasGraph(key)) checkGraph(bindBatch(this.#graph, 1)); // its failures do not depend on the batch size
  }

  /** Runs once, and profiles the model in a session of its own, where ONNX Runtime computes what kernels of our own do otherwise: a bound one cannot be. */
  async profile(feeds: Tensors, batch: number): Promise<readonly KernelTiming[]> {
    const plan = planGraph(this.#anyBatch ? this.#graph : bindBatch(this.#graph, batch));
    const { runtime, settings } = this.#host;
    const model = plan.model && (await profileModel(await runtime(), plan.model, { settings, feeds: this.#inputs(plan, feeds), batch }));
    const timings = [...(model ?? [])];
    const end = timings.reduce((latest, { startMs, durationMs }) => Math.max(latest, startMs + durationMs), 0);
    const start = performance.now();
    await this.run(feeds, batch, ({ node, optimizer }, work) => {
      const from = performance.now();
      work();
      const durationMs = performance.now() - from;
      const last = timings.at(-1);
      const startMs = last === undefined ? from - start : Math.max(end, last.startMs + last.durationMs); // one after the other, after the model
      timings.push({ node, kernel: optimizer.operator, startMs, durationMs });
    });
    return timings;
  }

  /** @param watch how an optimizer's work is called */
  async run(feeds: Tensors, batch: number, watch: Step["watch"] = (_step, work) => work()): Promise<Tensors> {
    const loaded = await this.#load(this.#anyBatch ? 0 : batch);
    const team = loaded.isHelped ? this.#host.native?.team : undefined;
    await team?.listen();
    try {
      return await this.#compute(loaded, { feeds, batch, watch });
    } finally {
      team?.rest();
    }
  }

  async #compute({ plan, session }: Loaded, { feeds, batch, watch }: Step): Promise<Tensors> {
    const computed = (await session?.run(this.#inputs(plan, feeds), batch)) ?? {};
    const taken = new Set<Tensor>();
    const read = (source: Source): Tensor => {
      if (source.kind === "constant") return source.value;
      if (source.kind === "feed") return feeds[source.name] as Tensor; // as above
      return source.kind === "state" ? this.store.get(source.name) : (computed[source.name] as Tensor); // the model names it as an output
    };
    const take = (source: Source): Tensor => {
      const value = read(source);
      if (source.kind !== "computed" || session?.keepsOutputs === true || taken.has(value)) return copyTensor(value);
      taken.add(value);
      return value;
    };
    const outputs = mapRecord(plan.outputs, take);
    // Assigned by copying, a computed value is not copied before; what optimizers and other updates may change is.
    const updates = mapRecord(plan.updates, (source) => (source.kind === "computed" && this.#host.memory.copies ? read(source) : take(source)));
    // Looked at before the first of them writes.
    const steps = plan.optimizers.filter(({ condition }) => condition === undefined || Number(read(condition).data[0]) !== 0);
    for (const step of steps) watch(step, () => this.#optimize(step, read));
    for (const [name, value] of Object.entries(updates)) this.#host.memory.assign(this.store, name, value);
    return outputs;
  }

  /** What the model reads. */
  #inputs(plan: Plan, feeds: Tensors): Tensors {
    const inputs: Record<string, Tensor> = {};
    for (const name of plan.feeds) inputs[name] = feeds[name] as Tensor; // feeds were checked against the graph
    for (const name of plan.state) inputs[name] = this.store.get(name);
    return inputs;
  }

  async writeState(state: Tensors): Promise<void> {
    const { memory } = this.#host;
    for (const [name, value] of Object.entries(state)) memory.assign(this.store, name, memory.copies ? value : copyTensor(value));
    if (this.#packed) await this.#unload(); // the sessions hold the old weights
  }

  /** Another program uses this state from now on and may change it. */
  async share(): Promise<void> {
    if (!this.#packed) return;
    this.#packed = false;
    await this.#unload();
  }

  async dispose(): Promise<void> {
    await this.#unload();
    this.store.dispose();
  }

  async #load(batch: number): Promise<Loaded> {
    const known = this.#loaded.get(batch);
    if (known !== undefined) {
      this.#loaded.delete(batch);
      this.#loaded.set(batch, known);
      return known;
    }
    const loaded = await this.#open(batch);
    this.#loaded.set(batch, loaded);
    const [oldest] = this.#loaded;
    if (this.#loaded.size > maxPlans && oldest !== undefined) {
      this.#loaded.delete(oldest[0]);
      await oldest[1].session?.release();
    }
    return loaded;
  }

  async #open(batch: number): Promise<Loaded> {
    const { runtime, native, settings } = this.#host;
    if (native !== undefined) {
      const cached = this.#plan(batch, { kernels: true });
      const { plan } = cached;
      const isHelped = await this.#startTeam(plan);
      if (plan.model === undefined) return { plan, session: undefined, isHelped };
      const kernels = isBindable(plan.model) ? await compileKernels(plan.calls, { ...native, ...this.#help(plan, batch) }) : undefined;
      if (kernels !== undefined) {
        const { model, products } = plan;
        const session = openBoundSession(native, { model, kernels, products, ...(this.#cacheKey() !== undefined && { cached }) }, settings);
        return { plan, session, isHelped: isHelped || kernels.isHelped };
      }
    }
    const { plan } = this.#plan(batch, { kernels: false });
    return { plan, session: plan.model && (await openSession(await runtime(), plan.model, settings)), isHelped: false };
  }

  /** How other threads help with a plan's kernels. */
  #help({ calls }: Plan, batch: number): Pick<KernelHost, "help"> {
    const { team } = this.#host.native ?? {};
    if (team === undefined) return {};
    const source = { ...this.#source(batch), kernels: calls.length };
    return { help: { threads: team.threads, leastBytes: team.leastBytes, load: (places) => team.load(source, places) } };
  }

  #source(batch: number): TeamSource {
    return { graph: this.#graph, key: this.#cacheKey(), batch, isPacked: this.#packed, products: this.#hasProducts };
  }

  /** Whether products are machine code. */
  get #hasProducts(): boolean {
    return Object.keys(this.#graph.updates).length > 0 && this.#host.native?.machine() !== undefined;
  }

  #plan(batch: number, { kernels }: { readonly kernels: boolean }): CachedPlan {
    const key = this.#cacheKey();
    return this.#host.plans.get(key && `${key} ${batch} ${kernels}`, () => {
      if (kernels) this.#host.native?.team?.planAhead(this.#source(batch));
      const initializers = this.#packed ? Object.fromEntries(this.#graph.state.map(({ name }) => [name, this.store.get(name)])) : {};
      return planGraph(batch === 0 ? this.#graph : bindBatch(this.#graph, batch), { initializers, kernels, products: kernels && this.#hasProducts });
    });
  }

  /** What plans are cached by; undefined where weights are in them, or the graph is too large. */
  #cacheKey(): string | undefined {
    if (this.#packed) return undefined;
    this.#key ??= { key: graphKey(this.#graph) };
    return this.#key.key;
  }

  /** Starts other threads while this one goes on, when they will be wanted for an optimizer or a large kernel: so many parameters have both. */
  #startEarly(): void {
    const { team } = this.#host.native ?? {};
    const trained = this.#graph.state.filter(({ name, role }) => role === "parameter" && this.#graph.updates[name] !== undefined);
    if (
      team === undefined ||
      !isWorthHelp(
        trained.map(({ name }) => this.store.get(name)),
        team,
      )
    )
      return;
    team.start().catch(() => undefined); // whoever wants them hears why they are not there
  }

  /** Starts other threads when a plan's optimizers are worth it. */
  async #startTeam({ optimizers }: Plan): Promise<boolean> {
    const { team } = this.#host.native ?? {};
    const parameters = optimizers.flatMap(({ targets }) => targets.map(({ parameter }) => this.store.get(parameter)));
    const isHelped = team !== undefined && isWorthHelp(parameters, team);
    if (isHelped) await team.start();
    return isHelped;
  }

  #optimize({ optimizer, attributes, rate, step, targets }: OptimizerStep, read: (source: Source) => Tensor): void {
    const setting = { attributes, rate: toNumbers(read(rate))[0] ?? 0, step: toNumbers(read(step))[0] ?? 0 };
    const arrays = targets.map(({ parameter, gradient, slots }) => {
      return [floats(this.store.get(parameter)), floats(read(gradient)), ...slots.map((slot) => floats(this.store.get(slot)))] as const;
    });
    const left = this.#host.native?.optimizers.optimize(optimizer, arrays, setting) ?? arrays;
    for (const [parameter, gradient, ...slots] of left) {
      if (parameter !== undefined && gradient !== undefined) optimizer.update({ ...setting, parameter, gradient, slots });
    }
  }

  async #unload(): Promise<void> {
    const loaded = [...this.#loaded.values()];
    this.#loaded.clear();
    for (const { session } of loaded) await session?.release(); // one after the other: each frees native memory
  }
}

/** Whether one session serves every batch size: standard operators only, which ONNX Runtime shapes itself. */
function runsAtAnyBatch(graph: Graph): boolean {
  // Its kernels give nothing another shape, or refuse it: what has no elements is left out once every size is known.
  if (Object.values(graph.values).some(({ shape }) => shape.includes(0))) return false;
  if (!graph.inputs.some((input) => input.shape.includes("batch"))) return true;
  if (Object.keys(graph.updates).length > 0) return false;
  return supportsAll(graph, supports) && graph.nodes.every((node) => (findLowering(node) ?? { isOptional: true }).isOptional === true);
}

function floats(value: Tensor): FloatArray {
  if (ArrayBuffer.isView(value.data) && isFloatArray(value.data)) return value.data;
  throw new TypeError(`an optimizer works on floats, not on ${value.dtype}`); // Adam's and Momentum's shape rules refuse other types
}

function mapRecord(record: Readonly<Record<string, Source>>, change: (source: Source) => Tensor): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(record).map(([name, source]) => [name, change(source)]));
}
