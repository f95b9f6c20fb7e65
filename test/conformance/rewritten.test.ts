import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { bindBatch, checkFeeds, findOperator, simplify, type Backend, type Executable, type Graph } from "../../core/index.ts";
import { executableCases } from "./cases/executable.ts";
import { trainingCases } from "./cases/training.ts";

// Whole training graphs, rewritten as backends rewrite them, train as they do unchanged (single operators: rewriting.test.ts).
const reference = openReference();
const cases = [...trainingCases, ...executableCases];

describe("the reference backend runs training graphs as well when they are", () => {
  test.each(cases)("lowered: $name", async ({ run }) => {
    const supports = (operator: string): boolean => findOperator(operator)?.lower === undefined;
    await expect(run(boundReference({ supports }), reference)).resolves.toBeUndefined();
  });

  test.each(cases)("simplified: $name", async ({ run }) => {
    await expect(run(rewriting(simplify), reference)).resolves.toBeUndefined();
  });

  test.each(cases)("bound to each batch size: $name", async ({ run }) => {
    await expect(run(boundReference(), reference)).resolves.toBeUndefined();
  });
});

function rewriting(rewrite: (graph: Graph) => Graph): Backend {
  return { ...reference, compile: (graph, options) => reference.compile(rewrite(graph), options) };
}

/** One executable for each batch size, as backends with static plans have, all on one state. */
function boundReference(options: Parameters<typeof bindBatch>[2] = {}): Backend {
  const roots = new WeakMap<Executable, Executable>();
  return {
    ...reference,
    async compile(graph, { shareStateWith, ...others } = {}) {
      const root = await reference.compile(graph, {
        ...others,
        ...(shareStateWith && { shareStateWith: roots.get(shareStateWith) ?? shareStateWith }),
      });
      const bound: Executable = {
        graph,
        readState: (names) => root.readState(names),
        writeState: (state) => root.writeState(state),
        dispose: () => root.dispose(),
        async run(feeds) {
          const plan = await reference.compile(bindBatch(graph, checkFeeds(graph, feeds), options), { shareStateWith: root });
          try {
            return await plan.run(feeds);
          } finally {
            await plan.dispose();
          }
        },
      };
      roots.set(bound, root);
      return bound;
    },
  };
}
