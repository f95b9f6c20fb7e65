import { EspalierError } from "./errors.ts";
import { checkState } from "./feeds.ts";
import { formatShape, type Graph, type StateValue, type ValueName } from "./graph/graph.ts";
import type { Tensor, Tensors } from "./tensor.ts";

/** How one backend keeps a state value; `T` is its own memory: a typed array, a GPU buffer, a library's tensor. */
export interface StateStoreOptions<T> {
  /** Makes the memory of one value, from its first content or from zeros. */
  readonly create: (type: StateValue, first: Tensor | undefined) => T;
  /** Frees it; left out where the garbage collector does. */
  readonly release?: (value: T) => void;
  /** First contents, checked here. A value that is shared takes none. */
  readonly first?: Tensors;
  /** The store of `CompileOptions.shareStateWith`: values of the same name are used together. */
  readonly shareWith?: StateStore<T> | undefined;
}

interface Cell<T> {
  readonly type: StateValue;
  value: T;
  users: number;
}

/**
 * The state of one executable, some of it shared with other executables of the same backend.
 *
 * A value lives until the last store that holds it is disposed. Works for host and for device memory alike.
 *
 * @example
 * const store = new StateStore<Float32Array>(graph, { create: (type, first) => ..., first: options.state });
 * store.get("dense/kernel"); // this executable's memory, or the one that it shares
 */
export class StateStore<T> {
  #cells = new Map<ValueName, Cell<T>>();
  #release: (value: T) => void;
  #disposed = false;

  /**
   * @throws TENSOR_INVALID when a first content does not fit; ARGUMENT_INVALID when a shared value has another type here, is also given
   *   a first content, or when the other executable was disposed
   */
  constructor(graph: Graph, { create, release = () => undefined, first = {}, shareWith }: StateStoreOptions<T>) {
    this.#release = release;
    checkState(graph, first);
    if (shareWith?.disposed) refuse(`compile "${graph.name}": shareStateWith was disposed; share with an executable that is in use`, {});
    const shared = new Map(graph.state.map((type) => [type.name, shareWith?.cellFor(type, first[type.name] !== undefined)]));
    for (const type of graph.state) {
      const cell = shared.get(type.name) ?? { type, value: create(type, first[type.name]), users: 0 };
      cell.users += 1;
      this.#cells.set(type.name, cell);
    }
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** The memory that a state value has now. */
  get(name: ValueName): T {
    return this.#cell(name).value;
  }

  /** Puts other memory in a value's place and releases the old one; everyone who shares the value sees the new one. */
  replace(name: ValueName, value: T): void {
    const cell = this.#cell(name);
    if (cell.value === value) return;
    const old = cell.value;
    cell.value = value;
    this.#release(old);
  }

  /** Gives every value up; the last user's memory is released. Calling twice is harmless. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const cell of this.#cells.values()) {
      cell.users -= 1;
      if (cell.users === 0) this.#release(cell.value);
    }
    this.#cells.clear();
  }

  /** For another store of this class: the cell that it may share, after comparing types. */
  cellFor(type: StateValue, hasFirst: boolean): Cell<T> | undefined {
    const cell = this.#cells.get(type.name);
    if (cell === undefined) return undefined;
    if (cell.type.dtype !== type.dtype || formatShape(cell.type.shape) !== formatShape(type.shape)) {
      refuse(
        `state "${type.name}" is ${type.dtype} ${formatShape(type.shape)} here, but ${cell.type.dtype} ${formatShape(cell.type.shape)} in the ` +
          "executable that it is shared with",
        { state: type.name },
      );
    }
    if (hasFirst) {
      refuse(`state "${type.name}" is given a first value, but it is shared and has one; leave it out or call writeState`, { state: type.name });
    }
    return cell;
  }

  #cell(name: ValueName): Cell<T> {
    if (this.#disposed) refuse(`state "${name}" was asked for after dispose`, { state: name });
    return this.#cells.get(name) ?? refuse(`no state "${name}"`, { state: name });
  }
}

function refuse(message: string, details: Readonly<Record<string, unknown>>): never {
  throw new EspalierError("ARGUMENT_INVALID", message, details);
}
