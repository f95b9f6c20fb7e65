import { adam, createTrainingGraph, softmaxCrossEntropy, tensor, type Tensors } from "../../core/index.ts";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { findSubject, subjectData } from "../subjects/index.ts";
import { serveSteps } from "./serve-steps.ts";
import { adamEpsilon } from "./adam-epsilon.ts";

/** Trains a subject on the onnxruntime backend: `node espalier-steps.ts <subject> <threads>`. */
const [name = "", threads = "1"] = process.argv.slice(2);
const subject = findSubject(name);
const model = subject.build();
const backend = await openOnnxRuntime({ threads: Number(threads) });
const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam({ epsilon: adamEpsilon }) });
const executable = await backend.compile(graph, { state: model.state });
const rows = subjectData(subject);
let steps = 0;
await serveSteps(`espalier on onnxruntime, ${backend.device}`, async () => {
  steps += 1;
  const feeds: Tensors = { ...rows, learning_rate: tensor("float32", [], [subject.learningRate]), step: tensor("int64", [], [steps]) };
  return Number((await executable.run(feeds))["loss"]?.data[0]);
});
