import { elementBytes, type Storage } from "./storage.ts";

/** Storage-buffer offsets are multiples of this on every device. @see https://www.w3.org/TR/webgpu/#limits */
export const alignment = 256;

/** A region of a buffer, in bytes. */
export interface Place {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** From which to which dispatch a storage's content is needed. */
export interface Lifetime {
  readonly storage: Storage;
  readonly first: number;
  readonly last: number;
}

/** Where a storage lies: in which arena, from which byte. */
export interface ArenaPlace {
  readonly arena: number;
  readonly offset: number;
  readonly size: number;
}

/** A whole plan of memory. */
export interface ArenaPlan {
  readonly places: ReadonlyMap<Storage, ArenaPlace>;
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
}

/** Bytes of a storage, up to the next aligned address. */
export function alignedBytes(storage: Storage): number {
  return Math.max(1, Math.ceil((storage.elements * elementBytes) / alignment)) * alignment;
}

/**
 * Lays storages out so that those alive at the same time never overlap: largest first, each at the lowest free address.
 *
 * @param maxBytes a new arena starts where one would grow larger
 * @see https://arxiv.org/abs/2001.03288 (greedy by size)
 */
export function planArenas(lifetimes: readonly Lifetime[], { maxBytes }: { readonly maxBytes: number }): ArenaPlan {
  const sorted = lifetimes.toSorted((a, b) => alignedBytes(b.storage) - alignedBytes(a.storage) || a.first - b.first);
  const arenas: { bytes: number; held: { lifetime: Lifetime; offset: number; end: number }[] }[] = [];
  const places = new Map<Storage, ArenaPlace>();
  for (const lifetime of sorted) {
    const size = alignedBytes(lifetime.storage);
    for (let arena = 0; ; arena += 1) {
      const target = (arenas[arena] ??= { bytes: 0, held: [] });
      const offset = lowestGap(
        target.held.filter(({ lifetime: other }) => other.first <= lifetime.last && lifetime.first <= other.last),
        size,
      );
      if (offset + size > maxBytes && target.held.length > 0) continue;
      target.held.push({ lifetime, offset, end: offset + size });
      target.bytes = Math.max(target.bytes, offset + size);
      places.set(lifetime.storage, { arena, offset, size });
      break;
    }
  }
  return { places, arenas: arenas.map(({ bytes }) => bytes) };
}

function lowestGap(held: readonly { readonly offset: number; readonly end: number }[], size: number): number {
  let offset = 0;
  for (const taken of held.toSorted((a, b) => a.offset - b.offset)) {
    if (taken.offset - offset >= size) break;
    offset = Math.max(offset, taken.end);
  }
  return offset;
}
