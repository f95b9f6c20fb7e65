import { EspalierError, type Backend, type Capabilities, type CompileOptions, type Executable, type Graph } from "../../core/index.ts";
import { ReferenceExecutable } from "./executable.ts";
import { kernels } from "./kernels/index.ts";
import { planSteps } from "./plan.ts";

const capabilities: Capabilities = { operators: new Set(Object.keys(kernels)), memory: "host", concurrent: true };

/**
 * The backend that defines what every operator means: plain TypeScript, one clear loop each, sums in double precision. It runs wherever
 * JavaScript does. Slow on purpose; small networks still answer within a millisecond or two.
 *
 * @example
 * const backend = openReference();
 * const executable = await backend.compile(graph, { state });
 * const { logits } = await executable.run({ features });
 */
export function openReference(): Backend {
  return {
    name: "reference",
    device: "JavaScript, one thread",
    capabilities,
    compile: compileReference,
    dispose: async () => undefined,
  };
}

async function compileReference(graph: Graph, { state = {}, shareStateWith, signal }: CompileOptions = {}): Promise<Executable> {
  if (signal?.aborted) throw new EspalierError("CANCELLED", `compiling "${graph.name}" was stopped by its signal`, {}, { cause: signal.reason });
  if (shareStateWith !== undefined && !(shareStateWith instanceof ReferenceExecutable)) {
    throw new EspalierError("ARGUMENT_INVALID", "shareStateWith must be an executable of the same backend, reference", { graph: graph.name });
  }
  return new ReferenceExecutable(graph, { steps: planSteps(graph), state, shareStateWith });
}
