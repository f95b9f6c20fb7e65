import { EspalierError } from "./errors.ts";
import { formatShape, type Graph, type ValueType } from "./graph/graph.ts";
import { allocate, elementCount, type DType, type Tensor, type Tensors } from "./tensor.ts";

/**
 * Checks what a run is fed against the graph's inputs; every backend calls it before anything runs.
 *
 * @returns the batch size that the feeds agree on; 1 for a graph without a symbolic dimension
 * @throws TENSOR_INVALID naming the feed, with what was expected and what was given: a missing or superfluous name, another dtype or
 *   shape, memory that does not match its shape, a batch of no rows, or batch sizes that disagree
 */
export function checkFeeds(graph: Graph, feeds: Tensors): number {
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  checkNames("feed", graph, [...inputs.keys()], Object.keys(feeds));
  let batch: { readonly size: number; readonly from: string } | undefined;
  for (const input of graph.inputs) {
    const feed = feeds[input.name] as Tensor; // no name is missing
    checkTensor(`feed "${input.name}"`, input, feed);
    for (const [axis, dimension] of input.shape.entries()) {
      if (dimension !== "batch") continue;
      const size = feed.shape[axis] as number; // the ranks are equal
      if (size === 0) refuse(`feed "${input.name}" has no rows; feed at least one`, { feed: input.name, shape: feed.shape });
      if (batch !== undefined && batch.size !== size) {
        refuse(`feed "${input.name}" has a batch of ${size}, but "${batch.from}" has ${batch.size}; feed as many rows to every input`, {
          feed: input.name,
          batch: size,
          other: batch.from,
          otherBatch: batch.size,
        });
      }
      batch ??= { size, from: input.name };
    }
  }
  return batch?.size ?? 1;
}

/**
 * Checks tensors that are to become a graph's state, in `compile` and in `writeState`. Names may be missing; none may be superfluous.
 *
 * @throws TENSOR_INVALID naming the state value, with what was expected and what was given
 */
export function checkState(graph: Graph, state: Tensors): void {
  const known = new Map(graph.state.map((item) => [item.name, item]));
  for (const [name, value] of Object.entries(state)) {
    const type = known.get(name) ?? refuse(`graph "${graph.name}" has no state "${name}"; it has ${list([...known.keys()])}`, { state: name });
    checkTensor(`state "${name}"`, type, value);
  }
}

/**
 * The state names that a caller asked for, all of them by default.
 *
 * @throws TENSOR_INVALID for a name that the graph does not have
 */
export function stateNames(graph: Graph, names?: readonly string[]): readonly string[] {
  const known = graph.state.map((item) => item.name);
  for (const name of names ?? []) {
    if (!known.includes(name)) refuse(`graph "${graph.name}" has no state "${name}"; it has ${list(known)}`, { state: name });
  }
  return names ?? known;
}

function checkNames(what: string, graph: Graph, expected: readonly string[], given: readonly string[]): void {
  const missing = expected.filter((name) => !given.includes(name));
  const superfluous = given.filter((name) => !expected.includes(name));
  if (missing.length === 0 && superfluous.length === 0) return;
  const faults = [
    ...(missing.length > 0 ? [`${list(missing)} ${missing.length === 1 ? "is" : "are"} missing`] : []),
    ...(superfluous.length > 0 ? [`${list(superfluous)} ${superfluous.length === 1 ? "is" : "are"} unknown`] : []),
  ];
  refuse(`${what}s of graph "${graph.name}": ${faults.join("; ")}; the graph takes ${list(expected)}`, { missing, superfluous, expected });
}

function checkTensor(what: string, type: ValueType, given: Tensor): void {
  const details = { expected: { dtype: type.dtype, shape: type.shape }, given: { dtype: given.dtype, shape: given.shape } };
  const fits = given.shape.length === type.shape.length && type.shape.every((size, axis) => size === "batch" || size === given.shape[axis]);
  if (given.dtype !== type.dtype || !fits) {
    refuse(`${what} is ${given.dtype} ${formatShape(given.shape)}, but the graph takes ${type.dtype} ${formatShape(type.shape)}`, details);
  }
  if (!given.shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    refuse(`${what} has the shape ${formatShape(given.shape)}; sizes are whole numbers from 0`, details);
  }
  const count = elementCount(given.shape);
  if (given.data.length !== count) {
    refuse(`${what} holds ${given.data.length} elements, but its shape ${formatShape(given.shape)} takes ${count}`, details);
  }
  if (!hasMemoryOf(given.dtype, given)) refuse(`${what} says ${given.dtype}, but its data is ${given.data.constructor.name}`, details);
}

function hasMemoryOf(dtype: DType, given: Tensor): boolean {
  if (dtype === "string") return Array.isArray(given.data);
  return Object.prototype.toString.call(given.data) === Object.prototype.toString.call(allocate(dtype, 0));
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => `"${name}"`).join(", ");
}

function refuse(message: string, details: Readonly<Record<string, unknown>>): never {
  throw new EspalierError("TENSOR_INVALID", message, details);
}
