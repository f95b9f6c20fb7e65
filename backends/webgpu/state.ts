import type { StateValue, Tensor } from "../../core/index.ts";
import type { DeviceSession } from "./device.ts";
import { alignedBytes, type Place } from "./memory.ts";
import { scalarOf } from "./storage.ts";
import { toDevice } from "./transfer.ts";

/** The memory of one state value: part of a slab that all values of an executable share, so that an optimizer can bind them at once. */
export interface StateRegion {
  readonly type: StateValue;
  /** Set when the slabs are made. */
  place: Place | undefined;
  slab: Slab | undefined;
  /** First content, until it was uploaded. */
  first: Tensor | undefined;
}

interface Slab {
  readonly buffer: GPUBuffer;
  regions: number;
}

/** A region without memory yet: the slabs are made when all of them are known. */
export function createRegion(type: StateValue, first: Tensor | undefined): StateRegion {
  return { type, place: undefined, slab: undefined, first };
}

/** Gives regions memory, in as few slabs as one binding allows, with their first contents or zeros. */
export function placeRegions(session: DeviceSession, regions: readonly StateRegion[], label: string): void {
  const maxBytes = Math.min(session.limits.maxBindingBytes, session.limits.maxBufferBytes);
  let open: { region: StateRegion; offset: number; size: number }[] = [];
  let bytes = 0;
  const close = (): void => {
    if (open.length === 0) return;
    const slab: Slab = { buffer: session.createStorage(bytes, `${label} state`), regions: open.length };
    for (const { region, offset, size } of open) {
      region.slab = slab;
      region.place = { buffer: slab.buffer, offset, size };
      if (region.first) writeRegion(session, region, region.first);
      region.first = undefined;
    }
    open = [];
    bytes = 0;
  };
  for (const region of regions.filter(({ place }) => place === undefined)) {
    const elements = region.type.shape.reduce((product, size) => product * size, 1);
    const size = alignedBytes({ scalar: scalarOf(region.type.dtype) ?? "f32", elements, source: { kind: "state", state: region.type.name } });
    if (bytes + size > maxBytes) close();
    open.push({ region, offset: bytes, size });
    bytes += size;
  }
  close();
}

/** Overwrites a region's content; work submitted later sees it. */
export function writeRegion(session: DeviceSession, { place, type }: StateRegion, value: Tensor): void {
  if (place && value.data.length > 0) session.queue.writeBuffer(place.buffer, place.offset, toDevice(value, `state "${type.name}"`));
}

/** Gives a region up; a slab goes with its last one. */
export function releaseRegion(session: DeviceSession, { slab }: StateRegion): void {
  if (slab === undefined) return;
  slab.regions -= 1;
  if (slab.regions === 0) session.destroyBuffer(slab.buffer);
}
