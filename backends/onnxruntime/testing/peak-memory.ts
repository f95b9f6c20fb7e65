import { readFileSync } from "node:fs";
import { adam, createTrainingGraph, convNet, scalar, softmaxCrossEntropy, tensor } from "../../../core/index.ts";
import { openOnnxRuntime } from "../backend.ts";
import { estimateMemory } from "../../../core/index.ts";

// node peak-memory.ts <rows>: trains three steps of a convolutional network and prints how much the process grew at most, and what was estimated.

const rows = Number(process.argv[2] ?? 64);
const model = convNet({ shape: [3, 32, 32], head: { task: "classification", classes: 10 } });
const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam(), modelOutputs: false });
const backend = await openOnnxRuntime({ thread: "inline", threads: 1 });
const input = graph.inputs.find(({ shape }) => shape.length === 4)?.name ?? "";
const feeds = {
  [input]: tensor("float32", [rows, 3, 32, 32], new Float32Array(rows * 3072).fill(0.5)),
  labels: tensor("int32", [rows], new Int32Array(rows)),
  learning_rate: scalar(0.001),
};
const before = process.memoryUsage.rss();
const executable = await backend.compile(graph, { state: model.state });
for (let step = 1; step <= 3; step += 1) await executable.run({ ...feeds, step: scalar(step, "int64") });
const peak = peakBytes();
process.stdout.write(JSON.stringify({ measured: peak - before, estimated: estimateMemory(graph, { batch: rows }).total }));
await executable.dispose();
await backend.dispose();

/** The largest resident memory of this program alone: Linux counts what the parent had when it started us into `maxRSS`. */
function peakBytes(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024; // kilobytes
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
}
