import { parentPort, workerData } from "node:worker_threads";
import { importKoffi } from "./native/koffi.ts";
import { findCopy } from "./native/memory-copy.ts";
import { planGraph } from "./plan.ts";
import { bindKernels, type BoundKernel } from "./kernels/bind.ts";
import { optimizerShares } from "./kernels/optimizer-kernels.ts";
import { addressesAt, control, endOfRun, optimizerTasks, type TeamAnswer, type TeamMessage, type TeamSettings } from "./team.ts";

/** Times that it looks for the next phase before it sleeps, about 0.02 ms; ONNX Runtime's own threads want the core between kernels. */
const looks = 2000;

/** One of a team's threads: it compiles the kernels of the same plan, and while the model runs it does its share of each call. */
async function serve({ control: block, memory, share }: TeamSettings): Promise<void> {
  const port = parentPort;
  if (port === null) throw new TypeError("team-worker.ts runs in a worker thread");
  const numbers = new Int32Array(block);
  const addresses = new BigInt64Array(block, addressesAt);
  const copy = findCopy(await importKoffi());
  const optimize = optimizerShares(memory);
  const models = new Map<number, readonly BoundKernel[]>();
  let seen = 0;

  /** Answers calls until the run ends. The event loop waits meanwhile. */
  const listen = (): void => {
    for (;;) {
      for (let look = 0; look < looks && Atomics.load(numbers, control.calls) === seen; look += 1);
      Atomics.wait(numbers, control.calls, seen);
      if (Atomics.load(numbers, control.calls) === seen) continue;
      seen = Atomics.load(numbers, control.calls);
      if (numbers[control.call] === endOfRun) return;
      try {
        compute();
      } catch {
        Atomics.add(numbers, control.failed, 1); // the caller throws
      }
      Atomics.add(numbers, control.done, 1);
      Atomics.notify(numbers, control.done);
    }
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
      case "load":
        port.postMessage(load(message));
        break;
      case "listen":
        if (Atomics.load(numbers, control.ended) >= message.run) break; // it came too late
        seen = Math.max(seen, message.calls);
        listen();
        break;
      case "release":
        models.delete(message.model);
        break;
      default:
        message satisfies never;
    }
  });
  const load = ({ model, graph, place }: TeamMessage & { readonly kind: "load" }): TeamAnswer => {
    try {
      const { calls } = planGraph(graph, { kernels: true });
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

await serve(workerData as TeamSettings); // KernelTeam passes it
