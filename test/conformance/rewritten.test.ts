import { openReference } from "../../backends/reference/index.ts";
import {
  bindBatch,
  checkFeeds,
  findOperator,
  lower,
  simplify,
  type Backend,
  type BackendDriver,
  type Executable,
  type Graph,
} from "../../core/index.ts";
import { describeBackend } from "./describe-backend.ts";

// The graph's own rewritings must not change what a graph computes: the reference backend runs each graph as it is and rewritten.
describeBackend(rewriting("lowered as far as possible", (graph) => lower(graph, (operator) => findOperator(operator)?.lower === undefined)));
describeBackend(rewriting("simplified", simplify));
describeBackend(boundReference());

function rewriting(name: string, rewrite: (graph: Graph) => Graph): BackendDriver {
  const reference = openReference();
  const backend: Backend = {
    ...reference,
    name,
    compile: (graph, options) => reference.compile(rewrite(graph), options),
  };
  return { name, probe: async () => ({ available: true, device: name, software: false }), open: async () => backend };
}

/** One executable for each batch size, as backends with static plans have, all on one state. */
function boundReference(): BackendDriver {
  const reference = openReference();
  const roots = new WeakMap<Executable, Executable>();
  const backend: Backend = {
    ...reference,
    name: "bound to each batch size",
    async compile(graph, options = {}) {
      const { shareStateWith, ...rest } = options;
      const root = await reference.compile(graph, {
        ...rest,
        ...(shareStateWith && { shareStateWith: roots.get(shareStateWith) ?? shareStateWith }),
      });
      const bound: Executable = {
        graph,
        readState: (names) => root.readState(names),
        writeState: (state) => root.writeState(state),
        dispose: () => root.dispose(),
        async run(feeds) {
          const plan = await reference.compile(bindBatch(graph, checkFeeds(graph, feeds)), { shareStateWith: root });
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
  return { name: backend.name, probe: async () => ({ available: true, device: backend.name, software: false }), open: async () => backend };
}
