import { EspalierError, type Tensor, type Tensors, type ValueName } from "../../core/index.ts";
import type { DeviceSession } from "./device.ts";
import type { Dispatch, LateDispatch, PlacedDispatch } from "./kernel.ts";
import { alignedBytes, alignment, planArenas, type Lifetime, type Place } from "./memory.ts";
import type { Program } from "./program.ts";
import type { Storage } from "./storage.ts";
import { toDevice } from "./transfer.ts";

/** The device memory of one plan: an arena for what lives within a run, and buffers for constants, scalars and the status. */
export class PlanMemory {
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
