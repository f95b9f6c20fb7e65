import { allocate, elementCount, type StateStore, type StateValue, type Tensor, type ValueName } from "../../core/index.ts";
import type { Arena } from "./arena.ts";

/** Where state is kept between runs. */
export interface StateMemory {
  create(type: StateValue, first: Tensor | undefined): Tensor;
  release(value: Tensor): void;
  /** Gives a state value new content. @param value memory that nobody else has, unless `copies` */
  assign(store: StateStore<Tensor>, name: ValueName, value: Tensor): void;
  /** Whether `assign` leaves the given memory to its owner. */
  readonly copies: boolean;
}

/** State in arrays of the garbage collector's; new content takes the old one's place. */
export const plainMemory: StateMemory = {
  create(type, first) {
    if (first !== undefined) return copyTensor(first);
    if (type.dtype === "string") return { dtype: "string", shape: type.shape, data: Array.from({ length: elementCount(type.shape) }, () => "") };
    return { dtype: type.dtype, shape: type.shape, data: allocate(type.dtype, elementCount(type.shape)) };
  },
  release: () => undefined,
  assign: (store, name, value) => store.replace(name, value),
  copies: false,
};

/** State in an arena, where sessions and kernels read and write it; what does not fit in there is plain. */
export function arenaMemory(arena: Arena): StateMemory {
  return {
    create(type, first) {
      const data = type.dtype === "string" ? undefined : arena.allocate(type.dtype, type.shape);
      if (data === undefined) return plainMemory.create(type, first);
      const value: Tensor = { dtype: type.dtype, shape: type.shape, data };
      if (first !== undefined) copyContent(first, value);
      return value;
    },
    release: ({ data }) => arena.free(data),
    assign(store, name, value) {
      const old = store.get(name);
      if (arena.offsetOf(old.data) === undefined) store.replace(name, copyTensor(value));
      else copyContent(value, old);
    },
    copies: true,
  };
}

/** The tensor in memory of its own. */
export function copyTensor(value: Tensor): Tensor {
  return { dtype: value.dtype, shape: [...value.shape], data: value.data.slice() };
}

function copyContent(from: Tensor, to: Tensor): void {
  (to.data as Float32Array).set(from.data as Float32Array); // both of one class: state is checked against the graph
}
