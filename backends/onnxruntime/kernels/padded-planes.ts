import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { Pair } from "./plane-window.ts";

/** Planes of a tensor as they are copied into scratch memory: with zeros around them, and between their elements where `spread` is more than 1. */
export interface PaddedPlanes {
  readonly source: Pair;
  /** Columns from one element to the next, 1 or 2. */
  readonly spread: number;
  /** Bytes of a row and of a plane, and from a plane's start to where its first element goes. */
  readonly rowBytes: number;
  readonly planeBytes: number;
  readonly insideBytes: number;
}

/** What planes are laid out with. */
export interface PaddedPlanesOptions {
  readonly source: Pair;
  readonly spread?: number;
  /** Rows and columns of zeros before the first element. */
  readonly begin: Pair;
  /** Rows and columns that are read at least, those before the first element too. */
  readonly reach: Pair;
}

/** Lays planes out. */
export function paddedPlanes({ source, spread = 1, begin, reach }: PaddedPlanesOptions): PaddedPlanes {
  const rowBytes = Math.max(reach[1], begin[1] + source[1] * spread) * 4;
  const rows = Math.max(reach[0], begin[0] + source[0]);
  return { source, spread, rowBytes, planeBytes: rows * rowBytes, insideBytes: begin[0] * rowBytes + begin[1] * 4 };
}

/** Bytes after the last plane that vectors may be read from and zeros written to. */
export const planeSlack = 64;

/** Planes that are worked on at a time: what was written by parts has reached the cache before it is read by other parts. */
export function planesAtOnce({ planeBytes }: PaddedPlanes): number {
  return Math.max(1, Math.floor(8192 / planeBytes));
}

interface PlaneCopy {
  /** Where the plane's elements are. */
  readonly from: Local;
  /** Where the padded plane starts, whose other elements are zero already. */
  readonly to: Local;
  readonly planes: PaddedPlanes;
  /** What is done to elements on their way, where they are not spread; not to the padding. */
  readonly change?: (value: Local) => Local;
}

/** Copies one plane, row after row: zeros that are written after a row's end are where the next row's padding or elements go. */
export function copyPlane(code: FunctionBuilder, { from, to, planes, change = (value) => value }: PlaneCopy): void {
  const { source, spread, rowBytes, insideBytes } = planes;
  const [height, width] = source;
  const [read, write] = [code.int("add", from, 0), code.int("add", to, insideBytes)];
  const zero = spread > 1 ? code.constant(0) : undefined;
  code.loop({ end: height, step: 1 }, () => {
    for (const column of vectorColumns(width)) {
      const value = code.loadFirst(read, { offset: column * 4, count: Math.min(width, 4) });
      if (zero === undefined) code.storeFirst(write, { offset: column * 4, count: Math.min(width, 4) }, change(value));
      else {
        code.store(write, column * 8, code.shuffle(value, zero, [0, 4, 1, 4]));
        code.store(write, column * 8 + 16, code.shuffle(value, zero, [2, 4, 3, 4]));
      }
    }
    code.int("add", read, width * 4, read);
    code.int("add", write, rowBytes, write);
  });
}

/** Where the vectors of a row start: the last one ends with the row, and overlaps the one before it where the width is no multiple of 4. */
export function vectorColumns(width: number): readonly number[] {
  const whole = Array.from({ length: Math.floor(width / 4) }, (_, i) => i * 4);
  return width % 4 === 0 ? whole : [...whole, Math.max(width - 4, 0)];
}

/** Four floats that lie `stride` apart: 1 or 2. */
export function loadStrided(code: FunctionBuilder, address: Local, { offset, stride }: { readonly offset: number; readonly stride: number }): Local {
  const value = code.load(address, offset);
  return stride === 1 ? value : code.shuffle(value, code.load(address, offset + 16), [0, 2, 4, 6]);
}
