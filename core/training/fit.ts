import type { Executable } from "../backend.ts";
import { EspalierError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { hashGraph } from "../graph/hash.ts";
import { elementCount, scalar, type Tensors } from "../tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { evaluateLoss } from "./evaluate-loss.ts";
import type { StopReason, TrainingEvent } from "./event.ts";
import { checkFitOptions, type FitOptions, type FitResult, type TrainingData } from "./fit-options.ts";
import { checkLabels } from "./check-labels.ts";
import { accuracy, meanAbsoluteError, rootMeanSquaredError, type Metric } from "./metrics/index.ts";
import { prefetch } from "./prefetch.ts";
import { createProgressMeter } from "./progress-meter.ts";
import { randomFeeds } from "./random-feeds.ts";
import { newCheckpoint, resumeFrom, type RunIdentity } from "./resume.ts";
import { constantSchedule } from "./schedules/index.ts";
import { createEvaluationGraph, createTrainingGraph, lossTerms, type LossTerm } from "./training-graph.ts";

/**
 * Trains a model: epochs of steps, validation, best weights, early stopping, checkpoints.
 *
 * @throws ARGUMENT_INVALID; CANCELLED when the signal fired before the first step (later it only ends training); TARGET_INVALID for labels
 *   that the model's output cannot stand for; DATA_EMPTY; CHECKPOINT_INVALID for a checkpoint of another model, loss, optimizer or seed;
 *   LOSS_NOT_FINITE with step and epoch when the loss becomes NaN or infinite (checkpoints stay as they were); what the backend throws
 * @example
 * const result = await fit({ model, backend, loss: softmaxCrossEntropy(), optimizer: adam(), train, validation, epochs: 20 });
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  checkFitOptions(options);
  const { model, backend, validation, resume, seed = 0 } = options;
  if (options.signal?.aborted === true) throw new EspalierError("CANCELLED", "fit: the signal fired before the first step");
  const graph = createTrainingGraph(model, options);
  const identity: RunIdentity = { graph, graphHash: hashGraph(graph), seed };
  const start = resume === undefined ? newCheckpoint(model, identity) : resumeFrom(resume, identity);
  const training = await backend.compile(graph, { state: start.state });
  try {
    const evaluation = validation && (await backend.compile(createEvaluationGraph(model, options), { shareStateWith: training }));
    try {
      return await trainEpochs(options, { start, training, evaluation });
    } finally {
      await evaluation?.dispose();
    }
  } finally {
    await training.dispose();
  }
}

interface Run {
  readonly start: Checkpoint;
  readonly training: Executable;
  readonly evaluation: Executable | undefined;
}

async function trainEpochs(options: FitOptions, { start, training, evaluation }: Run): Promise<FitResult> {
  const { model, backend, loss, optimizer, validation, signal, earlyStopping, checkpoints } = options;
  const terms = lossTerms(loss);
  const { epochs = 10, seed = 0, schedule = constantSchedule(), metrics = defaultMetrics(terms), checkpointEvery = Infinity, clock } = options;
  const emit = async (event: TrainingEvent): Promise<void> => options.onEvent?.(event);
  const meter = createProgressMeter({ clock, epochs });
  const weights = model.graph.state.map(({ name }) => name);

  let { step, epoch, position, progress, best } = start;
  const history = [...start.history];
  let reason: StopReason = "finished";
  let kept: { readonly location: string; readonly step: number; readonly epoch: number } | undefined;
  const keep = async (isBest: boolean): Promise<void> => {
    if (checkpoints === undefined || (kept?.step === step && kept.epoch === epoch)) return;
    const state = await training.readState();
    if (!allFinite(state)) throw notFinite("a weight is not a finite number", { step, epoch, checkpoint: kept?.location });
    const location = await checkpoints.save({ ...start, step, epoch, position, progress, history: [...history], state, best }, { best: isBest });
    kept = { location, step, epoch };
    await emit({ kind: "checkpoint", step, epoch, location });
  };

  const rows = datasetOf(options.train, { epoch, seed }).rows;
  await emit({ kind: "start", backend: backend.name, device: backend.device, parameters: countParameters(model.graph), rows, epochs, step });
  await keep(false); // the first step may already go wrong, and then there must be something good to go back to

  while (epoch <= epochs) {
    if (earlyStopping !== undefined && best !== undefined && epoch - 1 - best.epoch >= earlyStopping.patience) reason = "early-stopping";
    if (signal?.aborted === true) reason = "cancelled";
    if (reason !== "finished") break;

    const data = datasetOf(options.train, { epoch, seed });
    for await (const { item: batch, position: next } of prefetch(data.iterate(position))) {
      const batchRows = checkLabels(batch, { terms, graph: model.graph, place: `batch ${progress.batches + 1} of epoch ${epoch}` });
      step += 1;
      const learningRate = schedule({
        learningRate: optimizer.learningRate,
        progress: (epoch - 1 + progress.rows / (data.rows ?? Infinity)) / epochs,
        step,
      });
      const random = randomFeeds(training.graph, { seed, step, batch: batchRows });
      const outputs = await training.run({ ...batch, ...random, learning_rate: scalar(learningRate), step: scalar(step, "int64") });
      const batchLoss = Number(outputs["loss"]?.data[0]);
      if (!Number.isFinite(batchLoss)) throw notFinite(`the loss is ${batchLoss}`, { step, epoch, learningRate, checkpoint: kept?.location });
      position = next;
      progress = { lossSum: progress.lossSum + batchLoss * batchRows, rows: progress.rows + batchRows, batches: progress.batches + 1, learningRate };
      meter.add(batchRows);
      const place = { epoch, rows: progress.rows, rowsPerEpoch: data.rows };
      await emit({ kind: "step", step, epochs, loss: batchLoss, learningRate, ...place, ...meter.rates(place) });
      if (step % checkpointEvery === 0) await keep(false);
      await meter.breathe();
      if (signal?.aborted === true) break;
    }
    if (signal?.aborted === true) continue; // the epoch stays open; a resumed run ends it
    if (progress.batches === 0) throw new EspalierError("DATA_EMPTY", `fit: the training data has no rows in epoch ${epoch}`, { epoch });

    const validated = validation && evaluation && (await evaluateLoss(evaluation, { data: validation, terms, graph: model.graph, metrics, meter }));
    const record = {
      epoch,
      step,
      rows: progress.rows,
      loss: progress.lossSum / progress.rows,
      learningRate: progress.learningRate,
      validation: validated,
    };
    const watched = validated?.["loss"] ?? record.loss;
    if (!Number.isFinite(watched)) throw notFinite(`the validation loss is ${watched}`, { step, epoch, checkpoint: kept?.location });
    const improved = best === undefined || watched < best.loss - (earlyStopping?.minDelta ?? 0);
    if (improved) best = { epoch, loss: watched, state: await training.readState(weights) };
    history.push(record);
    await emit({ kind: "epoch", record, epochs, best: improved, elapsedMs: meter.elapsedMs() });

    epoch += 1;
    position = undefined;
    progress = { lossSum: 0, rows: 0, batches: 0, learningRate: 0 };
    await keep(improved);
  }
  await keep(false);
  const bestEpoch = best?.epoch ?? 0;
  await emit({ kind: "stopped", reason, step, epoch: epoch - 1, bestEpoch });
  return { model: { ...model, state: best?.state ?? (await training.readState(weights)) }, history, reason, steps: step, bestEpoch };
}

function datasetOf(train: TrainingData, pass: { readonly epoch: number; readonly seed: number }): ReturnType<Extract<TrainingData, Function>> {
  return typeof train === "function" ? train(pass) : train;
}

function defaultMetrics([term, ...others]: readonly Required<LossTerm>[]): readonly Metric[] {
  if (term === undefined || others.length > 0) return []; // of several outputs the losses are followed
  if (term.loss.output === "logits") return [accuracy()];
  return term.loss.output === "prediction" ? [rootMeanSquaredError(), meanAbsoluteError()] : [];
}

function countParameters(graph: Graph): number {
  return graph.state.filter(({ role }) => role === "parameter").reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

function allFinite(state: Tensors): boolean {
  return Object.values(state).every(({ data }) => !(data instanceof Float32Array) || data.every(Number.isFinite));
}

function notFinite(
  what: string,
  details: { readonly step: number; readonly epoch: number; readonly checkpoint: string | undefined; readonly learningRate?: number },
): EspalierError {
  const { step, epoch, checkpoint, learningRate } = details;
  const rate = learningRate === undefined ? "" : ` at learning rate ${learningRate}`;
  const rest = checkpoint === undefined ? "no checkpoint had been written" : `the last good checkpoint is ${checkpoint}`;
  return new EspalierError(
    "LOSS_NOT_FINITE",
    `fit: ${what} in step ${step} of epoch ${epoch}${rate}; lower the learning rate or look for extreme values in the data; ${rest}`,
    details,
  );
}
