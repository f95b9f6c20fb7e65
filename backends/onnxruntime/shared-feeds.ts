import type { Tensor, Tensors, TypedArray } from "../../core/index.ts";

type SharedTypedArray = TypedArray & { readonly buffer: SharedArrayBuffer };

/**
 * Memory that two threads see, for the feeds of one executable: a step copies its rows into it and allocates nothing. New memory for each step costs its page
 * faults: 0.2 ms of a small network's 3.2.
 *
 * Only for one run at a time: the next one's feeds take the place of the last one's.
 */
export class SharedFeeds {
  readonly #memory = new Map<string, SharedTypedArray>();

  /** The feeds in shared memory; strings stay as they are. */
  write(feeds: Tensors): Tensors {
    return Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, this.#write(name, value)]));
  }

  #write(name: string, value: Tensor): Tensor {
    const { data } = value;
    if (!ArrayBuffer.isView(data)) return value;
    const known = this.#memory.get(name);
    const target = known?.constructor === data.constructor && known.length === data.length ? known : allocateLike(data);
    this.#memory.set(name, target);
    (target as Float32Array).set(data as Float32Array); // of one class
    return { dtype: value.dtype, shape: value.shape, data: target };
  }
}

function allocateLike(data: TypedArray): SharedTypedArray {
  const Class = data.constructor as new (buffer: SharedArrayBuffer) => SharedTypedArray; // every typed array has one
  return new Class(new SharedArrayBuffer(data.byteLength));
}
