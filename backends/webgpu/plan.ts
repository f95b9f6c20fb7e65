import { EspalierError, type Graph, type Tensors, type ValueName } from "../../core/index.ts";
import type { DeviceSession } from "./device.ts";
import type { PlacedDispatch, Tuning } from "./kernel.ts";
import type { Place } from "./memory.ts";
import { PlanMemory } from "./plan-memory.ts";
import { writeProgram, type Program } from "./program.ts";
import { elementBytes, type Storage, type View } from "./storage.ts";
import { fromDevice } from "./transfer.ts";

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
