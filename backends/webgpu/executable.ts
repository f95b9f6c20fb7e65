import {
  bindBatch,
  checkFeeds,
  checkState,
  EspalierError,
  StateStore,
  stateNames,
  widenFloat16,
  type Executable,
  type Graph,
  type Tensors,
} from "../../core/index.ts";
import type { DeviceSession } from "./device.ts";
import type { Tuning } from "./kernel.ts";
import { supports } from "./kernels/index.ts";
import type { Place } from "./memory.ts";
import { Plan } from "./plan.ts";
import { createRegion, placeRegions, releaseRegion, writeRegion, type StateRegion } from "./state.ts";
import { fromDevice } from "./transfer.ts";

/** Plans kept at a time, one for each batch size; training needs its own and the last, smaller batch's. */
const maxPlans = 4;

/** What a WebGPU executable is made of. */
export interface WebGpuExecutableOptions {
  readonly tuning: Tuning;
  readonly state?: Tensors;
  readonly shareStateWith?: WebGpuExecutable | undefined;
  readonly onDispose: (executable: WebGpuExecutable) => void;
}

/** A graph whose state stays on the GPU, with one plan for each batch size that it was run with. Runs wait for each other. */
export class WebGpuExecutable implements Executable {
  readonly graph: Graph;
  readonly #session: DeviceSession;
  readonly #tuning: Tuning;
  readonly #store: StateStore<StateRegion>;
  readonly #onDispose: WebGpuExecutableOptions["onDispose"];
  readonly #plans = new Map<number, Plan>();
  #last: Promise<unknown> = Promise.resolve();

  static async create(session: DeviceSession, graph: Graph, options: WebGpuExecutableOptions): Promise<WebGpuExecutable> {
    const executable = new WebGpuExecutable(session, graph, options);
    try {
      await session.guarded(`the state of "${graph.name}"`, () => executable.#placeState());
    } catch (error) {
      executable.#store.dispose();
      throw error;
    }
    return executable;
  }

  private constructor(session: DeviceSession, graph: Graph, { tuning, state = {}, shareStateWith, onDispose }: WebGpuExecutableOptions) {
    this.graph = graph;
    this.#session = session;
    this.#tuning = tuning;
    this.#onDispose = onDispose;
    this.#store = new StateStore<StateRegion>(graph, {
      create: createRegion,
      release: (region) => releaseRegion(session, region),
      first: state,
      ...(shareStateWith && { shareWith: shareStateWith.#store }),
    });
  }

  async run(feeds: Tensors): Promise<Tensors> {
    this.#checkLive("run");
    const batch = checkFeeds(this.graph, feeds);
    return await this.#enqueue("run", async () => (await this.#planFor(batch)).run(feeds));
  }

  async readState(names?: readonly string[]): Promise<Tensors> {
    this.#checkLive("readState");
    const chosen = stateNames(this.graph, names);
    return await this.#enqueue("readState", () => this.#readRegions(chosen));
  }

  async writeState(state: Tensors): Promise<void> {
    this.#checkLive("writeState");
    checkState(this.graph, state);
    await this.#enqueue("writeState", async () => {
      this.#session.check();
      for (const [name, value] of Object.entries(state)) writeRegion(this.#session, this.#store.get(name), value);
    });
  }

  async dispose(): Promise<void> {
    if (this.#store.disposed) return;
    this.release();
    this.#onDispose(this);
  }

  /** Frees the memory without telling the backend, which is disposing of everything. */
  release(): void {
    for (const plan of this.#plans.values()) plan.dispose();
    this.#plans.clear();
    this.#store.dispose();
  }

  /** What the plan of a batch size does in a run, for tests and benchmarks. */
  async describePlan(batch: number): Promise<{ readonly dispatches: number; readonly bytes: number }> {
    return await this.#enqueue("describePlan", async () => {
      const plan = await this.#planFor(batch);
      return { dispatches: plan.dispatchCount, bytes: plan.bytes };
    });
  }

  #placeState(): void {
    placeRegions(
      this.#session,
      this.graph.state.map(({ name }) => this.#store.get(name)),
      this.graph.name,
    );
  }

  async #planFor(batch: number): Promise<Plan> {
    const known = this.#plans.get(batch);
    if (known) {
      this.#plans.delete(batch); // puts it at the end: the first one is the longest unused
      this.#plans.set(batch, known);
      return known;
    }
    const [oldest] = this.#plans;
    if (oldest && this.#plans.size >= maxPlans) {
      this.#plans.delete(oldest[0]);
      oldest[1].dispose();
    }
    const plan = await Plan.create(this.#session, bindBatch(widenFloat16(this.graph), batch, { supports }), {
      tuning: this.#tuning,
      placeOfState: (name) => this.#placeOf(name),
    });
    if (this.#store.disposed) {
      plan.dispose();
      this.#checkLive("run");
    }
    this.#plans.set(batch, plan);
    return plan;
  }

  #placeOf(name: string): Place {
    const { place } = this.#store.get(name);
    if (place === undefined) throw new EspalierError("INTERNAL", `state "${name}" has no memory`, { state: name });
    return place;
  }

  async #readRegions(names: readonly string[]): Promise<Tensors> {
    this.#session.check();
    const parts = names.map((name) => {
      const { type } = this.#store.get(name);
      return { type, place: this.#placeOf(name), bytes: 4 * type.shape.reduce((product, size) => product * size, 1) };
    });
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total === 0) return Object.fromEntries(parts.map(({ type }) => [type.name, fromDevice(new ArrayBuffer(0), type)]));
    const staging = await this.#session.guarded("reading state", () => this.#session.createStaging(total, `${this.graph.name} state`));
    try {
      const encoder = this.#session.createEncoder("read state");
      let at = 0;
      for (const { place, bytes } of parts) {
        if (bytes > 0) encoder.copyBufferToBuffer(place.buffer, place.offset, staging, at, bytes);
        at += bytes;
      }
      this.#session.queue.submit([encoder.finish()]);
      const all = await this.#session.readStaging(staging);
      this.#session.check();
      let from = 0;
      return Object.fromEntries(
        parts.map(({ type, bytes }) => {
          const tensor = fromDevice(all.slice(from, from + bytes), type);
          from += bytes;
          return [type.name, tensor];
        }),
      );
    } finally {
      this.#session.destroyBuffer(staging);
    }
  }

  /** One piece of work after the other: a plan's memory holds one run. */
  async #enqueue<T>(what: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const mine = (async () => {
      await before.catch(() => undefined); // its own caller hears of it
      this.#checkLive(what);
      return await work();
    })();
    this.#last = mine.catch(() => undefined);
    return await mine;
  }

  #checkLive(what: string): void {
    if (this.#store.disposed) throw new EspalierError("ARGUMENT_INVALID", `${what}: the executable of "${this.graph.name}" was disposed`, {});
  }
}
