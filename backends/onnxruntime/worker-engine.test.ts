import { expect, test } from "vitest";
import { openWorkerEngine } from "./worker-engine.ts";

const crashing = new URL("./testing/crashing-worker.ts", import.meta.url);

test("a worker that ends during a run rejects it with BACKEND_LOST, and every later call too", async () => {
  const engine = await openWorkerEngine({ threads: 1, binding: "auto" }, { worker: crashing });
  await expect(engine.run(1, {}, 1)).rejects.toMatchObject({ code: "BACKEND_LOST", message: expect.stringContaining("ended with code 7") });
  await expect(engine.readState(1, [])).rejects.toMatchObject({ code: "BACKEND_LOST" });
  await engine.close();
});

test("two runs that wait for a worker are both told that it is lost", async () => {
  const engine = await openWorkerEngine({ threads: 1, binding: "auto" }, { worker: crashing });
  const results = await Promise.allSettled([engine.run(1, {}, 1), engine.run(1, {}, 1)]);
  expect(results.map((result) => result.status === "rejected" && (result.reason as { code: string }).code)).toEqual(["BACKEND_LOST", "BACKEND_LOST"]);
});

test("closing twice is harmless, and calls after it say that the backend was disposed", async () => {
  const engine = await openWorkerEngine({ threads: 1, binding: "auto" });
  await Promise.all([engine.close(), engine.close()]);
  await expect(engine.run(1, {}, 1)).rejects.toMatchObject({ code: "BACKEND_LOST", message: expect.stringContaining("was disposed") });
});
