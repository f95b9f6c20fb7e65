import { parentPort, workerData } from "node:worker_threads";
import { bindBatch, tensor } from "../../core/index.ts";
import { importKoffi } from "./native/koffi.ts";
import { findCopy } from "./native/memory-copy.ts";
import { planGraph, type Plan } from "./plan.ts";
import { PlanCache } from "./plan-cache.ts";
import { bindKernels, type BoundKernel } from "./kernels/bind.ts";
import { optimizerShares } from "./kernels/optimizer-kernels.ts";
import {
  addressesAt,
  control,
  failureAt,
  looks,
  mostAddresses,
  mostFailureBytes,
  optimizerTasks,
  type TeamAnswer,
  type TeamMessage,
  type TeamSettings,
  type TeamSource,
} from "./team.ts";

/** One of a team's threads: it compiles the kernels of the same plan, and while the model runs it does its share of each call. */
async function serve({ control: block, memory, share }: TeamSettings): Promise<void> {
  const port = parentPort;
  if (port === null) throw new TypeError("team-worker.ts runs in a worker thread");
  const numbers = new Int32Array(block);
  const addresses = new BigInt64Array(block, addressesAt, mostAddresses);
  const copy = findCopy(await importKoffi());
  const optimize = optimizerShares(memory);
  const models = new Map<number, readonly BoundKernel[]>();
  const plans = new PlanCache();

  const hasEnded = (run: number): boolean => ((Atomics.load(numbers, control.ended) - run) | 0) >= 0; // both start again after 2^31

  /**
   * Answers a run's calls until it ends, which it may have before this thread hears of it. The event loop waits meanwhile.
   *
   * That a run has ended is a number of its own: a thread that wakes late must not take the next run's call, half written, for one of this run's.
   */
  const listen = ({ run, calls }: TeamMessage & { readonly kind: "listen" }): void => {
    let seen = calls;
    while (!hasEnded(run)) {
      for (let look = 0; look < looks && Atomics.load(numbers, control.calls) === seen; look += 1);
      Atomics.wait(numbers, control.calls, seen);
      const now = Atomics.load(numbers, control.calls);
      if (now === seen || hasEnded(run)) continue;
      seen = now;
      try {
        compute();
      } catch (error) {
        if (Atomics.add(numbers, control.failed, 1) === 0) tell(error); // the caller throws
      }
      Atomics.add(numbers, control.done, 1);
      Atomics.notify(numbers, control.done);
    }
  };
  const tell = (error: unknown): void => {
    const text = new TextEncoder().encode(String(error)).subarray(0, mostFailureBytes);
    new Uint8Array(block, failureAt).set(text);
    numbers[control.failureBytes] = text.length;
  };
  const compute = (): void => {
    const at = (place: number): number => numbers[place] ?? 0;
    if (at(control.call) === optimizerTasks) {
      optimize(Number(addresses[0]), share);
      return;
    }
    const kernel = models.get(at(control.model))?.[at(control.call)];
    if (kernel === undefined) throw new RangeError("no such kernel");
    const inputs = at(control.inputs);
    kernel(at(control.phase), [...addresses.subarray(0, inputs)], [...addresses.subarray(inputs, inputs + at(control.outputs))]);
  };

  port.on("message", (message: TeamMessage) => {
    switch (message.kind) {
      case "plan":
        planAhead(message.source);
        break;
      case "load":
        port.postMessage(load(message));
        break;
      case "listen":
        listen(message);
        break;
      case "release":
        models.delete(message.model);
        break;
      default:
        message satisfies never;
    }
  });
  const planned = (source: TeamSource): Plan => plans.get(source.key && `${source.key} ${source.batch}`, () => plan(source)).plan;
  const planAhead = (source: TeamSource): void => {
    try {
      planned(source);
    } catch {
      // The caller plans the same and throws; what it does load is planned again.
    }
  };
  const load = ({ model, source, place }: TeamMessage & { readonly kind: "load" }): TeamAnswer => {
    try {
      const { calls } = planned(source);
      const { kernels } = source;
      if (calls.length !== kernels) return { model, failure: `it plans ${calls.length} kernels, not ${kernels}` };
      models.set(
        model,
        bindKernels(
          calls.map(({ plan }) => plan),
          place,
          copy,
        ),
      );
      return { model };
    } catch (error) {
      return { model, failure: String(error) };
    }
  };
  port.postMessage({ model: 0 } satisfies TeamAnswer);
}

function plan({ graph, batch, isPacked, products }: TeamSource): Plan {
  // Kernels ask whether weights are constants, not what they are.
  const initializers = Object.fromEntries(isPacked ? graph.state.map(({ name }) => [name, tensor("float32", [0], [])] as const) : []);
  return planGraph(batch === 0 ? graph : bindBatch(graph, batch), { initializers, kernels: true, products });
}

await serve(workerData as TeamSettings); // KernelTeam passes it
