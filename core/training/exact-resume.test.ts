import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Checkpoint, CheckpointStore } from "./checkpoint.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-file.ts";
import type { FitOptions, FitResult } from "./fit-options.ts";
import { fit } from "./fit.ts";
import { diary, everything } from "./testing/everything.ts";

const backend = openReference();

interface Told {
  readonly result: FitResult;
  readonly pages: string;
}

async function told(options: Partial<FitOptions> = {}): Promise<Told> {
  const followed = diary();
  const result = await fit({ ...everything(backend), callbacks: [followed], ...options });
  return { result, pages: followed.pages() };
}

describe("a run with dropout, statistics, averages, accumulation, a schedule and callbacks", () => {
  test("ends bit for bit alike from the checkpoint of every single step, read back from its bytes", { timeout: 60_000 }, async () => {
    const kept: Uint8Array[] = [];
    const store: CheckpointStore = { save: async (checkpoint) => `number ${kept.push(encodeCheckpoint(checkpoint))}`, load: async () => undefined };
    const straight = await told({ checkpoints: store, checkpointEvery: 1 });
    expect(straight.result.steps).toBe(21);
    expect(kept.length).toBeGreaterThanOrEqual(22);
    const seen = new Set<number>();
    for (const bytes of kept) {
      const resume: Checkpoint = decodeCheckpoint(bytes);
      seen.add(resume.pending.batches);
      const resumed = await told({ resume });
      expect(resumed.result.model.state).toEqual(straight.result.model.state);
      expect(resumed.result.history).toEqual(straight.result.history);
      expect(resumed.pages).toBe(straight.pages);
      expect(resumed.result.reason).toBe(straight.result.reason);
    }
    expect(seen).toEqual(new Set([0, 1, 2])); // halfway through an accumulation too
  });

  test("leaves the same last checkpoint after a break as without", async () => {
    const last = async (options: Partial<FitOptions>): Promise<Checkpoint> => {
      let newest: Checkpoint | undefined;
      const store: CheckpointStore = { save: async (checkpoint) => String((newest = checkpoint).step), load: async () => undefined };
      await told({ ...options, checkpoints: store });
      return newest ?? expect.fail("nothing was saved");
    };
    const controller = new AbortController();
    const broken = await last({
      signal: controller.signal,
      onEvent: (event) => void (event.kind === "step" && event.step === 11 && controller.abort()),
    });
    expect(broken).toMatchObject({ step: 11, pending: { batches: 1 } });
    expect(await last({ resume: broken })).toEqual(await last({}));
  });
});
