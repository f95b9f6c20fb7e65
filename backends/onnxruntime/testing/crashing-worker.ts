import { parentPort } from "node:worker_threads";
import type { Reply } from "../worker-protocol.ts";

// Answers that it is ready, and ends the thread at the first call, as a crash in native code would.
parentPort?.on("message", () => process.exit(7));
parentPort?.postMessage({ call: 0, ok: true, result: undefined } satisfies Reply, []);
