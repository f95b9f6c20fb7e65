import { tensor, type Checkpoint } from "../../../core/index.ts";
import { fileCheckpoints } from "../file-store.ts";

// node save-forever.ts <folder>: saves one checkpoint after the other until it is killed. Prints each step that was saved. A step's tensors hold its number.

const store = fileCheckpoints(process.argv[2] ?? "", { retain: 3 });
for (let step = 1; ; step += 1) {
  const weights = Float32Array.from({ length: 20_000 }, () => step);
  const checkpoint: Checkpoint = {
    graphHash: "00",
    seed: 0,
    step,
    updates: step,
    pending: { batches: 0, weight: 0 },
    epoch: 1,
    position: { row: step },
    progress: { loss: 1, terms: {}, weight: 8, rows: 8, batches: 1, learningRate: 0.1 },
    history: [],
    state: { w: tensor("float32", [20_000], weights) },
    best: undefined,
    callbacks: {},
  };
  await store.save(checkpoint, { best: step % 2 === 0 });
  process.stdout.write(`${step}\n`);
}
