import { adam, createTrainingGraph, scalar, softmaxCrossEntropy, type Tensors } from "../../core/index.ts";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { compiledSubjects } from "../subjects/compiled.ts";
import { subjectData } from "../subjects/index.ts";

/** One compilation and the steps after it. */
export interface Compilation {
  /** Writing and differentiating the graph, `compile`, and what the first run takes longer than the others. */
  readonly wallMs: number;
  /** The processor time of the same, of all threads. */
  readonly cpuMs: number;
  readonly losses: readonly number[];
}

const steps = 4;

/** Compiles a subject's step twice in one process and prints both as JSON: `node espalier-compile.ts <subject> <threads>`. */
const [name = "", threads = "1"] = process.argv.slice(2);
const subject = compiledSubjects.find((item) => item.name === name);
if (subject === undefined) throw new Error(`no subject "${name}"`);
const model = subject.build();
const rows = subjectData(subject);
const backend = await openOnnxRuntime({ threads: Number(threads) });
const compilations: Compilation[] = [];
for (let i = 0; i < 2; i += 1) {
  const compiling = await timed(() =>
    backend.compile(createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam() }), { state: model.state }),
  );
  const runs = [];
  for (let step = 1; step <= steps; step += 1) {
    const feeds: Tensors = { ...rows, learning_rate: scalar(subject.learningRate), step: scalar(step, "int64") };
    runs.push(await timed(() => compiling.result.run(feeds)));
  }
  const [first, ...others] = runs;
  const extra = (of: "wallMs" | "cpuMs"): number => Math.max(0, (first?.[of] ?? 0) - Math.min(...others.map((run) => run[of])));
  compilations.push({
    wallMs: compiling.wallMs + extra("wallMs"),
    cpuMs: compiling.cpuMs + extra("cpuMs"),
    losses: runs.map(({ result }) => Number(result["loss"]?.data[0])),
  });
  await compiling.result.dispose();
}
await backend.dispose();
console.log(JSON.stringify(compilations));

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly wallMs: number; readonly cpuMs: number }> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
}
