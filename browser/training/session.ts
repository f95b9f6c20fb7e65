import {
  EspalierError,
  adam,
  augmentedFeeds,
  convNet,
  cosineSchedule,
  createBundle,
  decodePredictions,
  encodeBundle,
  encodeTarget,
  evaluatePredictions,
  exampleRow,
  feedBatches,
  fit,
  fitFeatures,
  fitTarget,
  gatherRows,
  inputFields,
  mlp,
  profileColumns,
  featureWidth,
  softmaxCrossEntropy,
  splitIndices,
  tensorBatches,
  tensorFeeds,
  transformFeatures,
  type Backend,
  type Checkpoint,
  type CheckpointStore,
  type Columns,
  type Executable,
  type FeedSource,
  type FittedFeatures,
  type FittedTarget,
  type Model,
  type SplitIndices,
  type Tensors,
  type TrainingEvent,
} from "../../core/index.ts";
import type { Answers, HeldOut, TrainingRequest } from "./messages.ts";

/** What a session needs besides the request. */
export interface SessionOptions {
  readonly backend: Backend;
  /** Awaited: training waits for whom it tells. */
  readonly onEvent: (event: TrainingEvent) => void | Promise<void>;
  /** Told after every epoch. */
  readonly onHeldOut: (heldOut: HeldOut) => void;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly clock: () => number;
  /** ISO 8601, for the bundle. */
  readonly now: () => string;
  /** What the bundle records of where it was made: the browser, the backend. */
  readonly environment: Readonly<Record<string, string>>;
}

type Classes = Extract<FittedTarget, { task: "classification" }>;

/**
 * One training of a classifier, and the model that it has so far: predictions and bundles are of the last epoch that ended, and of the best one when training
 * has ended.
 */
export class TrainingSession {
  #request: TrainingRequest;
  #options: SessionOptions;
  #features: FittedFeatures;
  #target: Classes;
  #split: SplitIndices;
  #model: Model;
  #forward: Executable;
  #epoch = 0;
  #heldOut: HeldOut | undefined;

  private constructor(request: TrainingRequest, options: SessionOptions, parts: SessionParts) {
    this.#request = request;
    this.#options = options;
    this.#features = parts.features;
    this.#target = parts.target;
    this.#split = parts.split;
    this.#model = parts.model;
    this.#forward = parts.forward;
  }

  /** Learns features and labels and builds the network. @throws TARGET_INVALID, COLUMN_MISSING, DATA_EMPTY, ARGUMENT_INVALID */
  static async open(request: TrainingRequest, options: SessionOptions): Promise<TrainingSession> {
    const { table, seed } = request;
    const target = fitTarget(table, request.target, { task: "classification" });
    if (target.task !== "classification")
      throw new EspalierError("TARGET_INVALID", `column "${request.target}" holds quantities; a page trains classifiers`, {});
    const split = splitIndices(table, { seed, stratifyBy: request.target });
    const features = await fitFeatures(request.features, [gatherRows(table, split.train)]);
    const model = buildModel(request, features, target);
    const forward = await options.backend.compile(model.graph, { state: model.state });
    return new TrainingSession(request, options, { features, target, split, model, forward });
  }

  /** Trains to the end, or until the signal fires. @returns how the best model does on the held-out rows */
  async train(): Promise<HeldOut> {
    const { batchSize, epochs, learningRate, seed } = this.#request;
    const training = this.#varied(tensorFeeds(this.#tensors(this.#split.train)));
    const result = await fit({
      model: this.#model,
      backend: this.#options.backend,
      loss: softmaxCrossEntropy({ labelSmoothing: 0.03 }),
      optimizer: adam({ learningRate }),
      schedule: cosineSchedule(),
      train: (shuffle) => feedBatches(training, { batchSize, shuffle }),
      validation: tensorBatches(this.#tensors(this.#split.validation), { batchSize: 256 }),
      epochs,
      seed,
      onEvent: this.#options.onEvent,
      signal: this.#options.signal,
      clock: this.#options.clock,
      checkpoints: this.#afterEachEpoch(),
    });
    this.#epoch = result.bestEpoch === 0 ? this.#epoch : result.bestEpoch;
    return await this.#take(result.model.state);
  }

  #varied(feeds: FeedSource): FeedSource {
    const image = this.#features.features.find(({ kind }) => kind === "image");
    const { augmentation } = this.#request;
    return augmentation === undefined || image === undefined ? feeds : augmentedFeeds(feeds, { input: image.column, ...augmentation });
  }

  /** @throws COLUMN_MISSING, COLUMN_TYPE when the rows are not such as the model was trained on */
  async predict(rows: Columns): Promise<Answers> {
    const answers = decodePredictions(this.#target, await this.#forward.run(transformFeatures(this.#features, rows)));
    if (answers.task !== "classification") throw new EspalierError("INTERNAL", "a classifier's answer is not a class", {});
    return answers;
  }

  /** The model so far, in the bundle's one-file form. */
  async bundle(): Promise<Uint8Array<ArrayBuffer>> {
    const { name, table, seed, source } = this.#request;
    const trained = gatherRows(table, this.#split.train);
    const made = createBundle({
      name,
      model: this.#model,
      features: this.#features,
      target: this.#target,
      inputs: inputFields(this.#features, await profileColumns([trained])),
      example: exampleRow(this.#features, trained),
      metrics: this.#heldOut?.metrics ?? {},
      lineage: { seed, data: { fingerprint: source.fingerprint, rows: table.length, source: source.name } },
      environment: this.#options.environment,
      createdAt: this.#options.now(),
    });
    return await encodeBundle(made);
  }

  async dispose(): Promise<void> {
    await this.#forward.dispose();
  }

  /** Not to go on from, but to see and keep the model while it trains. */
  #afterEachEpoch(): CheckpointStore {
    return {
      save: async ({ epoch, state }: Checkpoint) => {
        const ended = epoch - 1;
        if (ended <= this.#epoch) return "memory";
        this.#epoch = ended;
        const heldOut = await this.#take(Object.fromEntries(this.#model.graph.state.map(({ name }) => [name, state[name] ?? fail(name)])));
        this.#options.onHeldOut(heldOut);
        return "memory";
      },
      load: async () => undefined,
    };
  }

  /** Makes weights those of predictions and bundles, and tries them on the held-out rows. */
  async #take(state: Tensors): Promise<HeldOut> {
    this.#model = { ...this.#model, state };
    await this.#forward.writeState(state);
    const rows = this.#split.test;
    const columns = gatherRows(this.#request.table, rows);
    const answers = await this.predict(columns);
    const truth = Int32Array.from(encodeTarget(this.#target, columns).data, Number);
    const metrics = evaluatePredictions(this.#target, { predictions: answers, columns });
    this.#heldOut = { rows, truth, answers, metrics, epoch: this.#epoch };
    return this.#heldOut;
  }

  #tensors(rows: Uint32Array): Tensors {
    const columns = gatherRows(this.#request.table, rows);
    return { ...transformFeatures(this.#features, columns), labels: encodeTarget(this.#target, columns) };
  }
}

interface SessionParts {
  readonly features: FittedFeatures;
  readonly target: Classes;
  readonly split: SplitIndices;
  readonly model: Model;
  readonly forward: Executable;
}

function buildModel({ model, seed }: TrainingRequest, fitted: FittedFeatures, target: Classes): Model {
  const head = { task: "classification", classes: target.classes.length } as const;
  switch (model.kind) {
    case "conv-net": {
      const [image, ...others] = fitted.features;
      if (image?.kind !== "image" || others.length > 0) {
        throw new EspalierError(
          "ARGUMENT_INVALID",
          `a conv-net takes one image feature and nothing else, not ${fitted.features.length} features`,
          {},
        );
      }
      return convNet({ input: image.column, shape: image.shape, head, seed, ...(model.filters && { filters: model.filters }) });
    }
    case "mlp":
      return mlp({ width: featureWidth(fitted), head, seed, ...(model.hidden && { hidden: model.hidden }) });
    default:
      return model satisfies never;
  }
}

function fail(name: string): never {
  throw new EspalierError("INTERNAL", `the checkpoint has no "${name}"`, { name });
}
