import type { KernelTools } from "../host-kernel.ts";

/** Parts of a tensor that are equally large and equally far apart, in bytes. */
export interface Pieces {
  readonly count: number;
  /** Where the first starts. */
  readonly offset: number;
  readonly bytes: number;
  /** From one's start to the next one's. */
  readonly stride: number;
}

/** Where pieces are in WebAssembly's memory. */
export interface PiecePlace {
  readonly address: number;
  readonly stride: number;
}

/** Where pieces of an input can be read: where they are, or copied to `to`. */
export function readPieces({ read }: KernelTools, from: bigint, { offset, bytes, stride, count }: Pieces, to: PiecePlace): PiecePlace {
  if (to.stride === bytes && stride === bytes) return { address: read(to.address, from, { offset, bytes: bytes * count }), stride };
  const addresses = Array.from({ length: count }, (_, i) => read(to.address + i * to.stride, from, { offset: offset + i * stride, bytes }));
  const [first = to.address, second] = addresses;
  return { address: first, stride: second === undefined ? to.stride : second - first };
}

/** Copies pieces of an output from where they were made to where they belong. */
export function writePieces({ write }: KernelTools, to: bigint, { offset, bytes, stride, count }: Pieces, from: PiecePlace): void {
  if (from.stride === bytes && stride === bytes) return write(to, from.address, { offset, bytes: bytes * count });
  for (let i = 0; i < count; i += 1) write(to, from.address + i * from.stride, { offset: offset + i * stride, bytes });
}
