import { EspalierError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { elementCount, type Tensors } from "../tensor.ts";
import type { Callback } from "./callbacks/callback.ts";
import { openCallbacks, type Callbacks } from "./callbacks/dispatch.ts";
import { batchSizeOf } from "./batch-size.ts";
import type { EpochProgress } from "./checkpoint.ts";
import { allFinite, diverged } from "./diverged.ts";
import { evaluateLoss } from "./evaluate-loss.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "./event.ts";
import { checkFitOptions, type FitOptions, type FitResult } from "./fit-options.ts";
import { openKeeper, type Keeper } from "./keeper.ts";
import { exhaustedScale } from "./loss-scaling.ts";
import { meanLosses } from "./loss-sums.ts";
import { isBetter, recordNumbers } from "./monitor.ts";
import { prefetch } from "./prefetch.ts";
import { createProgressMeter, type ProgressMeter } from "./progress-meter.ts";
import { averagedWeights } from "./optimizers/index.ts";
import { newCheckpoint, resumeFrom, type RunIdentity } from "./resume.ts";
import { planRun, type Run } from "./run.ts";
import { constantSchedule } from "./schedules/index.ts";
import { trainBatch, updateParameters } from "./train-batch.ts";
import { createStepGraphs, openTrainer } from "./trainer.ts";
import { createEvaluationGraph } from "./training-graph.ts";

/**
 * Trains a model: epochs of steps, validation, best weights, early stopping, callbacks, checkpoints.
 *
 * @throws ARGUMENT_INVALID; CANCELLED when the signal fired before the first step (later it only ends training); TARGET_INVALID for labels
 *   that the model's output cannot stand for; TENSOR_INVALID for weights below 0; DATA_EMPTY; CHECKPOINT_INVALID for a checkpoint of another model, loss,
 *   optimizer or seed; LOSS_NOT_FINITE with step, epoch and the operator that went wrong when the loss or a weight becomes NaN or infinite (checkpoints stay
 *   good, and `rescuedResult` of the error gives the last good weights); what the backend and callbacks throw
 * @example
 * const result = await fit({ model, backend, loss: softmaxCrossEntropy(), optimizer: adam(), train, validation, epochs: 20 });
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  checkFitOptions(options);
  if (options.signal?.aborted === true) throw new EspalierError("CANCELLED", "fit: the signal fired before the first step");
  const graphs = createStepGraphs(options.model, options);
  const plan = planRun(options, batchSizeOf(options, graphs));
  const { model, backend, seed } = plan;
  const identity: RunIdentity = { state: graphs.state, modelState: model.graph.state, graphHash: graphs.hash, seed };
  const {
    state,
    callbacks: remembered,
    ...at
  } = options.resume === undefined ? newCheckpoint(model, identity) : resumeFrom(options.resume, identity);
  const trainer = await openTrainer(backend, graphs, state);
  try {
    const shared = { shareStateWith: trainer.executable };
    const evaluation = options.validation && (await backend.compile(createEvaluationGraph(model, options), shared));
    try {
      const run: Run = { plan, trainer, evaluation, at };
      const weights = model.graph.state.map(({ name }) => name);
      const followers = [...plan.callbacks, ...(options.onEvent === undefined ? [] : [eventCallback(options.onEvent)])];
      const callbacks = openCallbacks(followers, { model, numbers: plan.numbers, readWeights: () => trainer.readState(weights) }, remembered);
      const keeper = openKeeper(run, { ...options, graphHash: graphs.hash, callbacks });
      const meter = createProgressMeter({ clock: options.clock, epochs: plan.epochs });
      return await trainEpochs({ options, run, callbacks, keeper, meter, weights }).catch(async (error: unknown) => {
        await callbacks.abandon();
        throw error;
      });
    } finally {
      await evaluation?.dispose();
    }
  } finally {
    await trainer.dispose();
  }
}

interface Loop {
  readonly options: FitOptions;
  readonly run: Run;
  readonly callbacks: Callbacks;
  readonly keeper: Keeper;
  readonly meter: ProgressMeter;
  /** Names of the model's state. */
  readonly weights: readonly string[];
}

async function trainEpochs(loop: Loop): Promise<FitResult> {
  const { run, callbacks, keeper } = loop;
  const { model, backend, epochs, batchSize, dataOf } = run.plan;
  const { rows } = dataOf(run.at.epoch);
  const parameters = countParameters(model.graph);
  const size = batchSize && { batchSize };
  await callbacks.tell({ kind: "start", backend: backend.name, device: backend.device, parameters, rows, epochs, ...size, step: run.at.step });
  // The first step may already go wrong, and then there must be something good to go back to.
  if (keeper.wantsEpochs) await keeper.keep(await readFinite(loop), { best: false });
  while (run.at.epoch <= epochs && stopReason(loop) === undefined) {
    await trainEpoch(loop);
    if (stopReason(loop) === undefined) await endEpoch(loop); // otherwise the epoch stays open: a resumed run ends it
  }
  if (keeper.wantsEnd()) await keeper.keep(await readFinite(loop), { best: false });
  const { step, epoch, best, history } = run.at;
  const reason = stopReason(loop) ?? "finished";
  const why = callbacks.stopRequest()?.why;
  const bestEpoch = best?.epoch ?? 0;
  await callbacks.tell({ kind: "stopped", reason, ...(why !== undefined && { why }), step, epoch: epoch - 1, bestEpoch });
  const state = await finalWeights(loop);
  return { model: { ...model, state }, history, reason, steps: step, ...(batchSize && { batchSize: batchSize.rows }), bestEpoch };
}

/** The weights that the result has; without a best epoch those of the last step. */
async function finalWeights({ options: { weights: wanted = "best", optimizer }, run, weights }: Loop): Promise<Tensors> {
  if (wanted === "averaged") {
    const state = await run.trainer.readState();
    return averagedWeights(run.plan.model, { state, updates: run.at.updates, optimizer }).state;
  }
  return (wanted === "best" ? run.at.best?.state : undefined) ?? (await run.trainer.readState(weights));
}

/** Runs the batches of the epoch under way, from where it stands, until its end or until something ends training. */
async function trainEpoch(loop: Loop): Promise<void> {
  const { run, callbacks, keeper, meter } = loop;
  const { epoch, position: start } = run.at;
  const data = run.plan.dataOf(epoch);
  for await (const { item: batch, position } of prefetch(data.iterate(start))) {
    const learningRate = scheduledRate(loop, data.rows);
    const rowsBefore = run.at.progress.rows;
    const trained = await trainBatch(run, { batch, position, learningRate });
    if (trained === undefined) continue;
    keeper.stepped(learningRate);
    if (!Number.isFinite(trained.loss)) throw await diverged(run, { ...loop, what: `the loss is ${trained.loss}` });
    const { step, progress } = run.at;
    meter.add(progress.rows - rowsBefore);
    const place = { epoch, rows: progress.rows, rowsPerEpoch: data.rows };
    await callbacks.tell({ kind: "step", step, epochs: run.plan.epochs, ...trained.losses, learningRate, ...place, ...meter.rates(place) });
    if (keeper.isDue()) await keeper.keep(await readFinite(loop), { best: false });
    await meter.breathe();
    if (stopReason(loop) !== undefined) return;
  }
  if (run.at.progress.batches === 0) throw new EspalierError("DATA_EMPTY", `fit: the training data has no rows in epoch ${epoch}`, { epoch });
}

/** Uses up what was accumulated, validates, compares, and puts the run at the next epoch's start. */
async function endEpoch(loop: Loop): Promise<void> {
  const { options, run, callbacks, keeper, meter, weights } = loop;
  const { plan, evaluation } = run;
  await updateParameters(run, run.at.progress.learningRate);
  const validated =
    options.validation &&
    evaluation &&
    (await evaluateLoss(evaluation, {
      ...plan,
      graph: plan.model.graph,
      data: options.validation,
      breathe: () => meter.breathe(),
      onNotFinite: async (batch, loss) => {
        throw await diverged(run, { ...loop, what: `the validation loss is ${loss}`, validated: batch });
      },
    }));
  const record = recordOf(run.at, validated);
  const { metric, mode } = plan.monitor;
  const value = recordNumbers(record)[metric] ?? Number.NaN;
  const improved = isBetter(value, run.at.best?.value, { mode });
  const state = improved || keeper.wantsEpochs ? await readFinite(loop) : {};
  if (improved) run.at = { ...run.at, best: { epoch: record.epoch, value, state: pickTensors(state, weights) } };
  await callbacks.tell({ kind: "epoch", record, epochs: plan.epochs, best: improved, elapsedMs: meter.elapsedMs() });
  const { history, epoch } = run.at;
  run.at = { ...run.at, history: [...history, record], epoch: epoch + 1, position: undefined, progress: emptyProgress };
  if (keeper.wantsEpochs) await keeper.keep(state, { best: improved });
}

/** @throws ARGUMENT_INVALID when the schedule gives no rate */
function scheduledRate({ options: { optimizer, schedule = constantSchedule() }, run }: Loop, rowsPerEpoch: number | undefined): number {
  const { epoch, progress, updates } = run.at;
  const step = updates + 1;
  const rate = schedule({
    learningRate: optimizer.learningRate,
    progress: (epoch - 1 + progress.rows / (rowsPerEpoch ?? Infinity)) / run.plan.epochs,
    step,
  });
  if (rate >= 0 && rate < Infinity) return rate;
  throw new EspalierError("ARGUMENT_INVALID", `fit: the schedule gave the learning rate ${rate} for step ${step}; it must be a number from 0`, {
    step,
    rate,
  });
}

function stopReason({ options, callbacks }: Loop): StopReason | undefined {
  return options.signal?.aborted === true ? "cancelled" : callbacks.stopRequest()?.reason;
}

/** Everything that the step keeps. @throws LOSS_NOT_FINITE when a value is no number */
async function readFinite(loop: Loop): Promise<Tensors> {
  const state = await loop.run.trainer.readState();
  if (!allFinite(state)) throw await diverged(loop.run, { ...loop, what: "a weight is not a finite number" });
  const scale = exhaustedScale(state);
  if (scale !== undefined)
    throw await diverged(loop.run, { ...loop, what: `gradients are not finite, down to a loss scale of ${scale.toPrecision(2)}` });
  return state;
}

const emptyProgress: EpochProgress = { loss: 0, terms: {}, weight: 0, rows: 0, batches: 0, learningRate: 0 };

function recordOf({ epoch, step, progress }: Run["at"], validation: EpochRecord["validation"]): EpochRecord {
  const { loss, ...others } = meanLosses(progress);
  const losses = Object.fromEntries(Object.entries(others).map(([name, value]) => [name.slice("loss/".length), value]));
  const several = Object.keys(losses).length > 0 && { losses };
  return { epoch, step, rows: progress.rows, loss: loss ?? Number.NaN, ...several, learningRate: progress.learningRate, validation };
}

function pickTensors(state: Tensors, names: readonly string[]): Tensors {
  return Object.fromEntries(names.flatMap((name) => (state[name] === undefined ? [] : [[name, state[name]]])));
}

function countParameters(graph: Graph): number {
  return graph.state.filter(({ role }) => role === "parameter").reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** A function that is told everything, as the last of the callbacks. */
function eventCallback(tell: (event: TrainingEvent) => void | Promise<void>): Callback {
  return {
    name: "onEvent",
    onStart: tell,
    onStep: tell,
    onEpoch: tell,
    onCheckpoint: tell,
    onEnd: (event) => (event === undefined ? undefined : tell(event)),
  };
}
