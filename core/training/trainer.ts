import type { Backend, Executable } from "../backend.ts";
import type { Graph, StateValue } from "../graph/graph.ts";
import { hashGraph } from "../graph/hash.ts";
import type { Model } from "../models/model.ts";
import { sha256Hex } from "../sha256.ts";
import { scalar, type Tensors } from "../tensor.ts";
import type { PendingGradients } from "./checkpoint.ts";
import { createAccumulationGraph, createTrainingGraph, createUpdateGraph, type TrainingGraphOptions } from "./training-graph.ts";

/** The graphs that one update of the parameters is made of. */
export interface StepGraphs {
  /** Run for each batch. */
  readonly batch: Graph;
  /** Run after several batches that only added up gradients; absent where each batch updates the parameters itself. */
  readonly update: Graph | undefined;
  /** What the graphs keep, once for each name. */
  readonly state: readonly StateValue[];
  /** One hash of all. */
  readonly hash: string;
}

/** What the step's graphs are chosen by. */
export interface StepGraphsOptions extends TrainingGraphOptions {
  /** Batches whose gradients are added up for one update. Default 1. */
  readonly accumulateSteps?: number;
}

/** Writes the graphs of a training step. @throws as `createTrainingGraph` */
export function createStepGraphs(model: Model, { accumulateSteps = 1, ...options }: StepGraphsOptions): StepGraphs {
  const quiet = { ...options, modelOutputs: false }; // the loop reads the loss alone
  if (accumulateSteps === 1) {
    const batch = createTrainingGraph(model, quiet);
    return { batch, update: undefined, state: batch.state, hash: hashGraph(batch) };
  }
  const batch = createAccumulationGraph(model, quiet);
  const update = createUpdateGraph(model, options);
  const known = new Set(batch.state.map(({ name }) => name));
  const state = [...batch.state, ...update.state.filter(({ name }) => !known.has(name))];
  return { batch, update, state, hash: sha256Hex(new TextEncoder().encode(hashGraph(batch) + hashGraph(update))) };
}

/** What one batch is run with. */
export interface BatchRun {
  /** The model's inputs, labels, weights and random numbers. */
  readonly feeds: Tensors;
  /** What the batch counts in its update. */
  readonly weight: number;
  /** The batches of the update before it. */
  readonly pending: PendingGradients;
  readonly rate: UpdateRate;
}

/** With what the parameters move. */
export interface UpdateRate {
  readonly learningRate: number;
  /** Which update, from 1: the optimizer's step. */
  readonly update: number;
}

/** The compiled step of one model: parameters, statistics and slots live in it. */
export interface Trainer {
  readonly graphs: StepGraphs;
  /** Of the graph for each batch; an evaluation shares its weights. */
  readonly executable: Executable;
  /** Of the update's graph, where it has one of its own. */
  readonly updating: Executable | undefined;
  /** Everything that the batch's graph is fed. */
  batchFeeds(batch: BatchRun): Tensors;
  /** Everything that the update's graph is fed. */
  updateFeeds(rate: UpdateRate): Tensors;
  /** @returns `loss` and, of several, `loss/<name>` */
  runBatch(batch: BatchRun): Promise<Tensors>;
  /** Moves the parameters by the gradients of the batches before; nothing to do where each batch does it. */
  update(rate: UpdateRate): Promise<void>;
  readState(names?: readonly string[]): Promise<Tensors>;
  writeState(state: Tensors): Promise<void>;
  dispose(): Promise<void>;
}

/** Compiles a step's graphs. @param state first values @throws what the backend's `compile` throws */
export async function openTrainer(backend: Backend, graphs: StepGraphs, state: Tensors): Promise<Trainer> {
  const executable = await backend.compile(graphs.batch, { state: pick(state, graphs.batch) });
  if (graphs.update === undefined) return fusedTrainer(graphs, executable);
  try {
    const own = new Set(graphs.batch.state.map(({ name }) => name));
    const rest = Object.fromEntries(Object.entries(pick(state, graphs.update)).filter(([name]) => !own.has(name)));
    return accumulatingTrainer(graphs, executable, await backend.compile(graphs.update, { state: rest, shareStateWith: executable }));
  } catch (error) {
    await executable.dispose();
    throw error;
  }
}

function fusedTrainer(graphs: StepGraphs, executable: Executable): Trainer {
  const batchFeeds = ({ feeds, rate }: BatchRun): Tensors => ({ ...feeds, ...rateFeeds(rate) });
  return {
    graphs,
    executable,
    updating: undefined,
    batchFeeds,
    updateFeeds: rateFeeds,
    runBatch: (batch) => executable.run(batchFeeds(batch)),
    update: () => Promise.resolve(),
    readState: (names) => executable.readState(names),
    writeState: (state) => executable.writeState(pick(state, graphs.batch)),
    dispose: () => executable.dispose(),
  };
}

function accumulatingTrainer(graphs: StepGraphs, executable: Executable, updating: Executable): Trainer {
  const inBatch = new Set(executable.graph.state.map(({ name }) => name));
  const all = graphs.state.map(({ name }) => name);
  const batchFeeds = ({ feeds, weight, pending }: BatchRun): Tensors => ({
    ...feeds,
    share: scalar(weight / (pending.weight + weight)),
    batch_index: scalar(pending.batches + 1, "int64"),
  });
  return {
    graphs,
    executable,
    updating,
    batchFeeds,
    updateFeeds: rateFeeds,
    runBatch: (batch) => executable.run(batchFeeds(batch)),
    async update(rate) {
      await updating.run(rateFeeds(rate));
    },
    async readState(names = all) {
      const [own, others] = [names.filter((name) => inBatch.has(name)), names.filter((name) => !inBatch.has(name))];
      return { ...(await executable.readState(own)), ...(await updating.readState(others)) };
    },
    async writeState(state) {
      await executable.writeState(pick(state, executable.graph));
      await updating.writeState(pick(state, updating.graph));
    },
    async dispose() {
      await updating.dispose();
      await executable.dispose();
    },
  };
}

/** The feeds of an optimizer. */
function rateFeeds({ learningRate, update }: UpdateRate): Tensors {
  return { learning_rate: scalar(learningRate), step: scalar(update, "int64") };
}

/** The values of a graph's own state; what is missing starts as zeros. */
function pick(state: Tensors, { state: wanted }: Graph): Tensors {
  return Object.fromEntries(
    wanted.flatMap(({ name }) => {
      const value = state[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
