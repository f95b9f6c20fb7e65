import { EspalierError, type Graph, type Tensor, type Tensors, type ValueName } from "../../core/index.ts";
import type { DeviceSession } from "./device.ts";
import type { Dispatch, LateDispatch, PlacedDispatch, Tuning } from "./kernel.ts";
import { alignedBytes, alignment, planArenas, type Lifetime, type Place } from "./memory.ts";
import { writeProgram, type Program } from "./program.ts";
import { elementBytes, type Storage, type View } from "./storage.ts";
import { fromDevice, toDevice } from "./transfer.ts";

/** What a plan is made with. */
export interface PlanOptions {
  readonly tuning: Tuning;
  readonly placeOfState: (name: ValueName) => Place;
}

interface ReadyDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: PlacedDispatch["workgroups"];
}

/** A copy of a place into the staging buffer. */
interface Readback {
  readonly place: Place;
  readonly at: number;
  readonly bytes: number;
}

/**
 * A graph of one batch size, ready: memory laid out, pipelines compiled, bindings made. A run writes the feeds, replays the list of dispatches
 * in one submission, and reads the results; it makes nothing.
 */
export class Plan {
  readonly #session: DeviceSession;
  readonly #program: Program;
  readonly #name: string;
  readonly #dispatches: readonly ReadyDispatch[];
  readonly #commits: readonly ReadyDispatch[];
  readonly #memory: PlanMemory;
  readonly #outputs: readonly { readonly name: string; readonly view: View; readonly readback: Readback }[];
  readonly #statusReadback: Readback;
  readonly #staging: GPUBuffer;
  #runs = 0;

  /** @throws BACKEND_RUN_FAILED when a kernel does not compile or the device has no room */
  static async create(session: DeviceSession, graph: Graph, { tuning, placeOfState }: PlanOptions): Promise<Plan> {
    const program = writeProgram(graph, { tuning, maxBindingBytes: session.limits.maxBindingBytes });
    const what = `planning "${graph.name}"`;
    const memory = await session.guarded(what, () => new PlanMemory(session, program, { placeOfState, label: graph.name }));
    try {
      const dispatches = memory.place(program.dispatches);
      const commits = memory.place(program.commits);
      const pipelines = await Promise.all(
        [...dispatches, ...commits].map(({ code, label, places }) => session.pipeline(code, { label, bindings: places.length })),
      );
      return await session.guarded(what, () => {
        const ready = [...dispatches, ...commits].map((dispatch, i): ReadyDispatch => {
          const bindGroup = session.createBindGroup(dispatch.places, dispatch.label);
          return { pipeline: pipelines[i] as GPUComputePipeline, bindGroup, workgroups: dispatch.workgroups }; // one for each
        });
        return new Plan(session, {
          name: graph.name,
          program,
          memory,
          dispatches: ready.slice(0, dispatches.length),
          commits: ready.slice(dispatches.length),
        });
      });
    } catch (error) {
      memory.dispose();
      throw error;
    }
  }

  private constructor(
    session: DeviceSession,
    parts: {
      readonly name: string;
      readonly program: Program;
      readonly memory: PlanMemory;
      readonly dispatches: readonly ReadyDispatch[];
      readonly commits: readonly ReadyDispatch[];
    },
  ) {
    this.#session = session;
    this.#name = parts.name;
    this.#program = parts.program;
    this.#memory = parts.memory;
    this.#dispatches = parts.dispatches;
    this.#commits = parts.commits;
    let bytes = 0;
    const reserve = (storage: Storage): Readback => {
      const readback = { place: this.#memory.placeOf(storage), at: bytes, bytes: storage.elements * elementBytes };
      bytes += readback.bytes;
      return readback;
    };
    this.#outputs = this.#program.outputs.map(({ name, view }) => ({ name, view, readback: reserve(view.storage) }));
    this.#statusReadback = reserve(this.#program.status);
    this.#staging = session.createStaging(bytes, `${this.#name} results`);
  }

  /** How many dispatches a run makes. */
  get dispatchCount(): number {
    return this.#dispatches.length + this.#commits.length;
  }

  /** Bytes of device memory besides the state. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** @throws BACKEND_RUN_FAILED when a kernel met a bad element or the work was dropped; BACKEND_LOST */
  async run(feeds: Tensors): Promise<Tensors> {
    this.#session.check();
    this.#memory.writeFeeds(feeds);
    this.#session.queue.submit([this.#encode()]);
    this.#runs += 1;
    const bytes = await this.#session.readStaging(this.#staging);
    this.#session.check();
    this.#checkStatus(new Uint32Array(bytes.slice(this.#statusReadback.at, this.#statusReadback.at + this.#statusReadback.bytes)));
    return Object.fromEntries(
      this.#outputs.map(({ name, view, readback }) => [name, fromDevice(bytes.slice(readback.at, readback.at + readback.bytes), view)]),
    );
  }

  dispose(): void {
    this.#session.destroyBuffer(this.#staging);
    this.#memory.dispose();
  }

  #encode(): GPUCommandBuffer {
    const encoder = this.#session.createEncoder(this.#name);
    const { place } = this.#statusReadback;
    if (this.#program.faults.length > 0) encoder.clearBuffer(place.buffer, place.offset + elementBytes, this.#statusReadback.bytes - elementBytes);
    replay(encoder, this.#dispatches);
    for (const { place: from, at, bytes } of [...this.#outputs.map(({ readback }) => readback), this.#statusReadback]) {
      if (bytes > 0) encoder.copyBufferToBuffer(from.buffer, from.offset, this.#staging, at, bytes);
    }
    if (this.#commits.length > 0) replay(encoder, this.#commits);
    return encoder.finish();
  }

  #checkStatus(words: Uint32Array): void {
    if (words[0] !== this.#runs) {
      throw new EspalierError(
        "BACKEND_RUN_FAILED",
        `"${this.#name}": the GPU has finished ${words[0]} runs of ${this.#runs}; work was dropped without an error`,
        {
          finished: words[0],
          submitted: this.#runs,
        },
      );
    }
    if (words[1] === 0) return;
    const site = this.#program.faults.findIndex((_, i) => words[2 + 2 * i] !== 0);
    const fault = this.#program.faults[site];
    if (fault === undefined) return;
    const element = (words[3 + 2 * site] ?? 0) | 0;
    throw new EspalierError("BACKEND_RUN_FAILED", `${fault.node.name} (${fault.node.operator}): ${fault.describe(element)}`, {
      node: fault.node.name,
      element,
    });
  }
}

function replay(encoder: GPUCommandEncoder, dispatches: readonly ReadyDispatch[]): void {
  const pass = encoder.beginComputePass();
  for (const { pipeline, bindGroup, workgroups } of dispatches) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
}

/** The device memory of one plan. */
class PlanMemory {
  readonly #session: DeviceSession;
  readonly #program: Program;
  readonly #places = new Map<Storage, Place>();
  readonly #buffers: GPUBuffer[] = [];
  readonly #label: string;
  readonly #maxBindingBytes: number;

  constructor(
    session: DeviceSession,
    program: Program,
    { placeOfState, label }: { readonly placeOfState: (name: ValueName) => Place; readonly label: string },
  ) {
    this.#session = session;
    this.#program = program;
    this.#label = label;
    this.#maxBindingBytes = Math.min(session.limits.maxBindingBytes, session.limits.maxBufferBytes);
    const lifetimes = lifetimesOf(program);
    const inArena = lifetimes.filter(({ storage }) => storage.source.kind === "temporary" || storage.source.kind === "feed");
    const { places, arenas } = planArenas(inArena, { maxBytes: this.#maxBindingBytes });
    const buffers = arenas.map((bytes) => this.#buffer(bytes, "arena"));
    for (const [storage, { arena, offset, size }] of places) this.#places.set(storage, { buffer: buffers[arena] as GPUBuffer, offset, size }); // one for each arena
    for (const { storage } of lifetimes) if (storage.source.kind === "state") this.#places.set(storage, placeOfState(storage.source.state));
    this.#placeTogether(
      lifetimes.map(({ storage }) => storage).filter(({ source }) => source.kind === "constant"),
      "constants",
    );
    this.#placeTogether(
      lifetimes.map(({ storage }) => storage).filter(({ source }) => source.kind === "scalar"),
      "scalars",
    );
    this.#placeTogether([program.status], "status");
    for (const [storage, place] of this.#places) {
      if (storage.source.kind === "constant" && storage.elements > 0) session.queue.writeBuffer(place.buffer, place.offset, storage.source.data);
    }
  }

  get bytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.size, 0);
  }

  placeOf(storage: Storage): Place {
    const place = this.#places.get(storage);
    if (place === undefined) throw new EspalierError("INTERNAL", "a kernel uses memory that was not planned", { source: storage.source.kind });
    return place;
  }

  place(dispatches: readonly (Dispatch | LateDispatch)[]): readonly PlacedDispatch[] {
    return dispatches.flatMap((dispatch) =>
      "place" in dispatch
        ? dispatch.place({
            placeOf: (storage) => this.placeOf(storage),
            maxBindingBytes: this.#maxBindingBytes,
            upload: (data) => this.#upload(data),
          })
        : [{ ...dispatch, places: dispatch.storages.map((storage) => this.placeOf(storage)) }],
    );
  }

  writeFeeds(feeds: Tensors): void {
    const feed = (name: ValueName): Tensor => feeds[name] as Tensor; // feeds were checked against the graph
    for (const [name, storage] of this.#program.feeds) {
      const place = this.#places.get(storage);
      if (place && storage.elements > 0) this.#session.queue.writeBuffer(place.buffer, place.offset, toDevice(feed(name), `feed "${name}"`));
    }
    for (const [{ source }, place] of this.#places) {
      if (source.kind === "scalar" && source.compute)
        this.#session.queue.writeBuffer(place.buffer, place.offset, Float32Array.of(source.compute(feed)));
    }
  }

  dispose(): void {
    for (const buffer of this.#buffers) this.#session.destroyBuffer(buffer);
  }

  #placeTogether(storages: readonly Storage[], what: string): void {
    let open: { storage: Storage; offset: number; size: number }[] = [];
    let bytes = 0;
    const close = (): void => {
      if (open.length === 0) return;
      const buffer = this.#buffer(bytes, what);
      for (const { storage, offset, size } of open) this.#places.set(storage, { buffer, offset, size });
      open = [];
      bytes = 0;
    };
    for (const storage of storages) {
      const size = alignedBytes(storage);
      if (bytes + size > this.#maxBindingBytes) close();
      open.push({ storage, offset: bytes, size });
      bytes += size;
    }
    close();
  }

  #upload(data: Uint32Array<ArrayBuffer>): Place {
    const size = Math.max(alignment, data.byteLength);
    const buffer = this.#buffer(size, "table");
    this.#session.queue.writeBuffer(buffer, 0, data);
    return { buffer, offset: 0, size };
  }

  #buffer(bytes: number, what: string): GPUBuffer {
    const buffer = this.#session.createStorage(bytes, `${this.#label} ${what}`);
    this.#buffers.push(buffer);
    return buffer;
  }
}

/** From which to which dispatch each storage is needed: feeds from the start, what is read back or committed to the end. */
function lifetimesOf({ dispatches, commits, outputs }: Program): readonly Lifetime[] {
  const spans = new Map<Storage, { first: number; last: number }>();
  const touch = (storage: Storage, at: number): void => {
    const span = spans.get(storage);
    if (span) span.last = Math.max(span.last, at);
    else spans.set(storage, { first: storage.source.kind === "feed" ? -1 : at, last: at });
  };
  dispatches.forEach(({ storages }, at) => storages.forEach((storage) => touch(storage, at)));
  const end = dispatches.length;
  for (const { storages } of commits) storages.forEach((storage) => touch(storage, end));
  for (const { view } of outputs) touch(view.storage, end);
  return [...spans].map(([storage, { first, last }]) => ({ storage, first, last }));
}
