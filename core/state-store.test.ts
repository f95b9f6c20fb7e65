import { describe, expect, test } from "vitest";
import type { Graph, StateValue } from "./graph/graph.ts";
import { StateStore } from "./state-store.ts";
import { tensor, zeros, type Tensor, type Tensors } from "./tensor.ts";

interface Memory {
  readonly name: string;
  readonly first: Tensor | undefined;
}

const graphOf = (...names: string[]): Graph => ({
  name: "g",
  inputs: [],
  outputs: {},
  state: names.map((name) => ({ name, dtype: "float32", shape: [2], role: "parameter" })),
  constants: {},
  nodes: [],
  updates: {},
  values: {},
});

/** A device that counts its live memory. */
function device(): { live: Set<Memory>; open: (graph: Graph, shareWith?: StateStore<Memory>, first?: Tensors) => StateStore<Memory> } {
  const live = new Set<Memory>();
  return {
    live,
    open: (graph, shareWith, first = {}) =>
      new StateStore<Memory>(graph, {
        create: (type: StateValue, content) => {
          const memory = { name: type.name, first: content };
          live.add(memory);
          return memory;
        },
        release: (memory) => {
          if (!live.delete(memory)) throw new Error(`${memory.name} released twice`);
        },
        first,
        shareWith,
      }),
  };
}

describe("StateStore", () => {
  test("frees shared memory with its last user, in either order, and takes dispose twice", () => {
    for (const firstGoes of [0, 1]) {
      const { live, open } = device();
      const training = open(graphOf("w", "slot"), undefined, { w: tensor("float32", [2], [1, 2]) });
      const evaluation = open(graphOf("w"), training);
      expect(live.size).toBe(2);
      expect(evaluation.get("w")).toBe(training.get("w"));
      const stores = firstGoes === 0 ? [training, evaluation] : [evaluation, training];
      stores[0]?.dispose();
      stores[0]?.dispose();
      expect([...live].map((memory) => memory.name)).toEqual(firstGoes === 0 ? ["w"] : ["w", "slot"]);
      stores[1]?.dispose();
      expect(live.size).toBe(0);
    }
  });

  test("a replaced value is seen by everyone and the old one is freed once", () => {
    const { live, open } = device();
    const training = open(graphOf("w"));
    const evaluation = open(graphOf("w"), training);
    const other = { name: "w2", first: undefined };
    live.add(other);
    training.replace("w", other);
    expect(evaluation.get("w")).toBe(other);
    expect(live.size).toBe(1);
    training.replace("w", other);
    expect(live.size).toBe(1);
  });

  test("refuses sharing that cannot be meant, before any memory is made", () => {
    const { live, open } = device();
    const training = open(graphOf("w"));
    const wider: Graph = {
      ...graphOf("w"),
      state: [
        { name: "a", dtype: "float32", shape: [1], role: "slot" },
        { name: "w", dtype: "float32", shape: [3], role: "parameter" },
      ],
    };
    expect(() => open(wider, training)).toThrow('state "w" is float32 [3] here, but float32 [2] in the executable that it is shared with');
    expect(() => open(graphOf("w"), training, { w: zeros("float32", [2]) })).toThrow("leave it out or call writeState");
    expect(() => open(graphOf("w"), undefined, { v: zeros("float32", [2]) })).toThrow(expect.objectContaining({ code: "TENSOR_INVALID" }));
    expect(live.size).toBe(1);
    training.dispose();
    expect(() => open(graphOf("w"), training)).toThrow("shareStateWith was disposed");
    expect(() => training.get("w")).toThrow("after dispose");
    expect(live.size).toBe(0);
  });
});
