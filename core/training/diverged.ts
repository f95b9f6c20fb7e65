import { EspalierError } from "../errors.ts";
import { isFloat } from "../operators/shapes.ts";
import type { Tensors } from "../tensor.ts";
import { describeAnomaly, findAnomaly, type Anomaly } from "./anomaly.ts";
import type { FitResult } from "./fit-options.ts";
import { isScaled } from "./loss-scaling.ts";
import type { Keeper } from "./keeper.ts";
import { prefetch } from "./prefetch.ts";
import type { Run } from "./run.ts";
import { prepareBatch, trainBatch } from "./train-batch.ts";
import { meanPrefix } from "./training-graph.ts";
import type { BatchRun } from "./trainer.ts";

const rescued = new WeakMap<Error, FitResult>();

/**
 * What a run had come to before its loss or a weight was no finite number: the best epoch's weights, or without one those before the bad step.
 *
 * @param error what `fit` threw
 * @returns undefined for any other error, and where nothing good was kept
 * @example
 * try { ... } catch (error) { const saved = rescuedResult(error); if (saved) await save(saved.model); throw error; }
 */
export function rescuedResult(error: unknown): FitResult | undefined {
  return error instanceof Error ? rescued.get(error) : undefined;
}

/** The details of LOSS_NOT_FINITE. */
export interface Divergence {
  readonly step: number;
  readonly epoch: number;
  readonly learningRate: number;
  /** The last good one's place. */
  readonly checkpoint: string | undefined;
  readonly anomaly: Anomaly | undefined;
}

/** What was seen to be wrong. */
export interface DivergenceOptions {
  readonly keeper: Keeper;
  /** "the loss is NaN". */
  readonly what: string;
  /** Names of the model's state. */
  readonly weights: readonly string[];
  /** The batch of the validation whose loss it is; the steps are good then. */
  readonly validated?: Tensors;
}

/**
 * The error for a loss or weight that is no finite number. The steps since the last good state are done again, one by one, until the first bad one: its
 * operator is named, and the weights before it are kept.
 *
 * @returns LOSS_NOT_FINITE; `rescuedResult` gives what was saved
 */
export async function diverged(run: Run, { keeper, what, weights, validated }: DivergenceOptions): Promise<EspalierError> {
  const { step, epoch, progress } = run.at;
  await keeper.saveGood();
  const traced = validated === undefined ? repeat(run, keeper) : inspect(run, keeper, validated);
  const { culprit, state } = (await traced.catch(unexplained)) ?? {};
  const seen = culprit ?? { step, epoch, learningRate: progress.learningRate, anomaly: undefined };
  const { best, history } = run.at;
  const { learningRate, anomaly } = seen;
  const details: Divergence = { step: seen.step, epoch: seen.epoch, learningRate, checkpoint: keeper.location, anomaly };
  const cause = seen.anomaly === undefined ? "" : `; ${describeAnomaly(seen.anomaly)}`;
  const isData = seen.anomaly?.phase === "input" && seen.anomaly.output.name !== "learning_rate";
  const advice = isData ? "correct that data, or leave its rows out" : "lower the learning rate or look for extreme values in the data";
  const rest = keeper.location === undefined ? "no checkpoint had been written" : `the last good checkpoint is ${keeper.location}`;
  const error = new EspalierError(
    "LOSS_NOT_FINITE",
    `fit: ${what} in step ${seen.step} of epoch ${seen.epoch} at learning rate ${seen.learningRate}${cause}; ${advice}; ${rest}`,
    { ...details },
  );
  const kept = best?.state ?? state;
  if (kept !== undefined) {
    const own = Object.fromEntries(weights.flatMap((name) => (kept[name] === undefined ? [] : [[name, kept[name]]])));
    const model = { ...run.plan.model, state: own };
    rescued.set(error, { model, history, reason: "diverged", steps: seen.step - 1, bestEpoch: best?.epoch ?? 0 });
  }
  return error;
}

interface Culprit {
  readonly step: number;
  readonly epoch: number;
  readonly learningRate: number;
  readonly anomaly: Anomaly | undefined;
}

interface Repeated {
  /** Undefined when everything was finite this time: the backend or the data is not repeatable. */
  readonly culprit: Culprit | undefined;
  /** Before the culprit. */
  readonly state: Tensors;
}

/** A backend that fails while the cause is looked for must not hide that training failed: then no operator is named. */
function unexplained(): undefined {
  return undefined;
}

/** Looks for the operator in the evaluation's graph; the weights are those of the last step. */
async function inspect({ evaluation, plan: { backend }, trainer, at }: Run, { good }: Keeper, feeds: Tensors): Promise<Repeated | undefined> {
  if (good === undefined || evaluation === undefined) return undefined;
  const anomaly = await findAnomaly(backend, { graph: evaluation.graph, executable: evaluation, feeds }).catch(unexplained);
  const { step, epoch, progress } = at;
  return { culprit: { step, epoch, learningRate: progress.learningRate, anomaly }, state: await trainer.readState() };
}

/** Does the steps since the last good state again, with a look at the state after each. */
async function repeat(run: Run, { good }: Keeper): Promise<Repeated | undefined> {
  if (good === undefined) return undefined;
  const { trainer, plan } = run;
  const { checkpoint, rates } = good;
  run.at = checkpoint;
  await trainer.writeState(checkpoint.state);
  let { state } = checkpoint;
  for await (const { item: batch, position } of prefetch(plan.dataOf(checkpoint.epoch).iterate(checkpoint.position))) {
    const before = run.at;
    const learningRate = rates[before.step - checkpoint.step];
    if (learningRate === undefined) break;
    const trained = await trainBatch(run, { batch, position, learningRate });
    if (trained === undefined) continue;
    const next = await trainer.readState();
    if (Number.isFinite(trained.loss) && allFinite(next)) {
      state = next;
      continue;
    }
    await trainer.writeState(state);
    run.at = before;
    const rows = trained.at.progress.rows - before.progress.rows;
    const weight = trained.at.progress.weight - before.progress.weight;
    const anomaly = await locate(run, prepareBatch(run, { batch, rows, weight, learningRate })).catch(unexplained);
    return { culprit: { step: before.step + 1, epoch: before.epoch, learningRate, anomaly }, state };
  }
  return { culprit: undefined, state };
}

/** The operator that goes wrong in a batch, or in the update after it. */
async function locate({ trainer, plan: { backend } }: Run, batch: BatchRun): Promise<Anomaly | undefined> {
  const { graphs, executable, updating } = trainer;
  const found = await findAnomaly(backend, { graph: graphs.batch, executable, feeds: trainer.batchFeeds(batch) });
  if (found !== undefined || updating === undefined) return found;
  await trainer.runBatch(batch); // the update takes the means with this batch
  return findAnomaly(backend, { graph: updating.graph, executable: updating, feeds: trainer.updateFeeds(batch.rate) });
}

/** Whether every float of a state is a number. Gradients of a scaled loss may be infinite: the update that they are kept for passes them over. */
export function allFinite(state: Tensors): boolean {
  const passed = isScaled(state) ? `${meanPrefix}/` : undefined;
  return Object.entries(state).every(
    ([name, { dtype, data }]) =>
      !isFloat(dtype) || (passed !== undefined && name.startsWith(passed)) || (data as Float32Array).every(Number.isFinite), // floats have such memory
  );
}
