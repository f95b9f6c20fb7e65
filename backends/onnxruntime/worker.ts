import { parentPort, workerData } from "node:worker_threads";
import { HostEngine } from "./host-engine.ts";
import { openHost } from "./open-host.ts";
import { toFailure, transferable, type Call, type Reply, type WorkerSettings } from "./worker-protocol.ts";
import type { Tensors } from "../../core/index.ts";

/** The worker's composition root: an engine behind the port it was started with. */
async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new TypeError("worker.ts runs in a worker thread");
  const settings = workerData as WorkerSettings; // WorkerEngine passes them
  const host = await openHost(settings).catch((error: unknown) => {
    port.postMessage({ call: 0, ok: false, failure: toFailure(error) } satisfies Reply);
  });
  if (host === undefined) return;
  const engine = new HostEngine(host);
  /** The feeds that each executable's last run shared: memory that is bound stays so. */
  const shared = new Map<unknown, unknown>();
  port.on("message", ({ call, method, args: sent, sharesFeeds }: Call) => {
    const [id, feeds, ...others] = sent;
    if (sharesFeeds === true && feeds !== undefined) shared.set(id, feeds);
    if (method === "release") shared.delete(id);
    const args = sharesFeeds === true ? [id, shared.get(id) ?? {}, ...others] : sent; // none where the graph has no inputs
    // The caller is typed by the same interface: the arguments are the method's own.
    const work = (engine[method] as (...args: readonly unknown[]) => Promise<unknown>).apply(engine, [...args]);
    work.then(
      (result) => {
        const memory = method === "run" || method === "readState" ? transferable(result as Tensors) : []; // both return tensors
        port.postMessage({ call, ok: true, result } satisfies Reply, memory);
        if (method === "close") port.close(); // nothing keeps the thread alive after this
      },
      (error: unknown) => port.postMessage({ call, ok: false, failure: toFailure(error) } satisfies Reply),
    );
  });
  port.postMessage({ call: 0, ok: true, result: undefined } satisfies Reply);
}

await serve();
