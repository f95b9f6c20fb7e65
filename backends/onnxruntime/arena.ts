import { bytesPerElement, elementCount, float16Memory, type DType, type TypedArray } from "../../core/index.ts";

/** Bytes of a WebAssembly page. */
const pageBytes = 65_536;

/** A WebAssembly memory's limit: 4 GiB. */
const maxPages = 65_536;

/** Blocks start at a cache line and end at one, so that vector code may read past a tensor's end. */
const alignment = 64;

interface Block {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Memory that WebAssembly kernels and ONNX Runtime see alike: what one writes the other reads without a copy.
 *
 * One shared WebAssembly memory: it stays where it is when it grows, and so do the views of it. What was freed is used again but not given back to
 * the system before the arena is collected.
 */
export class Arena {
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 1, maximum: maxPages, shared: true });
  /** Free blocks by offset; no two touch. */
  #free: Block[] = [{ offset: alignment, bytes: pageBytes - alignment }]; // no tensor is at address 0
  /** Where memory begins that was never handed out: it is zero. */
  #untouched = 0;
  /** By the view that was handed out. */
  readonly #used = new Map<TypedArray, Block>();

  /** Zeroed memory, or undefined when the 4 GiB are used up. */
  allocate(dtype: Exclude<DType, "string">, shape: readonly number[]): TypedArray | undefined {
    const length = elementCount(shape);
    const block = this.#take(Math.max(alignment, Math.ceil((length * bytesPerElement[dtype]) / alignment) * alignment));
    if (block === undefined) return undefined;
    const end = block.offset + block.bytes;
    if (block.offset < this.#untouched) new Uint8Array(this.memory.buffer).fill(0, block.offset, Math.min(end, this.#untouched));
    this.#untouched = Math.max(this.#untouched, end);
    const data = view(dtype, this.memory.buffer, { offset: block.offset, length });
    this.#used.set(data, block);
    return data;
  }

  /** Where memory starts that `allocate` returned and nobody freed; undefined for all other. */
  offsetOf(data: TypedArray | readonly string[]): number | undefined {
    return ArrayBuffer.isView(data) ? this.#used.get(data)?.offset : undefined;
  }

  /** Gives back what `allocate` returned; other memory is left alone. */
  free(data: TypedArray | readonly string[]): void {
    const block = ArrayBuffer.isView(data) ? this.#used.get(data) : undefined;
    if (block === undefined || !ArrayBuffer.isView(data)) return;
    this.#used.delete(data);
    this.#release(block);
  }

  #take(bytes: number): Block | undefined {
    let best = -1;
    for (const [i, block] of this.#free.entries()) {
      if (block.bytes >= bytes && block.bytes < (this.#free[best]?.bytes ?? Infinity)) best = i;
    }
    const block = this.#free[best];
    if (block === undefined) return this.#grow(bytes) ? this.#take(bytes) : undefined;
    if (block.bytes === bytes) this.#free.splice(best, 1);
    else this.#free[best] = { offset: block.offset + bytes, bytes: block.bytes - bytes };
    return { offset: block.offset, bytes };
  }

  #grow(bytes: number): boolean {
    const pages = this.memory.buffer.byteLength / pageBytes;
    const more = Math.ceil(bytes / pageBytes);
    if (pages + more > maxPages) return false;
    try {
      this.memory.grow(more);
    } catch {
      return false; // the system has no more
    }
    this.#release({ offset: pages * pageBytes, bytes: more * pageBytes });
    return true;
  }

  #release(block: Block): void {
    const blocks = [...this.#free, block].toSorted((a, b) => a.offset - b.offset);
    this.#free = [];
    for (const next of blocks) {
      const last = this.#free.at(-1);
      if (last !== undefined && last.offset + last.bytes === next.offset) {
        this.#free[this.#free.length - 1] = { offset: last.offset, bytes: last.bytes + next.bytes };
      } else {
        this.#free.push(next);
      }
    }
  }
}

interface Place {
  readonly offset: number;
  readonly length: number;
}

function view(dtype: Exclude<DType, "string">, buffer: ArrayBufferLike, { offset, length }: Place): TypedArray {
  switch (dtype) {
    case "float16":
      return new (float16Memory())(buffer, offset, length);
    case "float32":
      return new Float32Array(buffer, offset, length);
    case "float64":
      return new Float64Array(buffer, offset, length);
    case "int32":
      return new Int32Array(buffer, offset, length);
    case "int64":
      return new BigInt64Array(buffer, offset, length);
    case "uint8":
    case "bool":
      return new Uint8Array(buffer, offset, length);
    default:
      return dtype satisfies never;
  }
}
