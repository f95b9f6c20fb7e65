import { EspalierError, type Manifest, type Predictor } from "../core/index.ts";
import { createBatcher, type Batcher, type BatcherOptions } from "./batcher.ts";

/** One version of a model that can be asked. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  /** The backend's name. */
  readonly backend: string;
  readonly batcher: Batcher;
}

/** The models of one server, by name and version. It owns the predictors that it was given. */
export interface ModelRegistry {
  /**
   * Serves a predictor under its manifest's name and version. Of several versions the one added last answers requests that name none.
   *
   * @throws ARGUMENT_INVALID when that version is served already
   */
  add(predictor: Predictor): ServedModel;
  /** Announces a model that is still being loaded: until it is added, it answers MODEL_NOT_READY and the server is not ready. */
  announce(name: string): void;
  /** @throws MODEL_NOT_FOUND with the names that are known, MODEL_NOT_READY */
  find(name: string, version?: string): ServedModel;
  /** Every version of every model, in the order in which they were added. */
  list(): readonly ServedModel[];
  /** Whether there is a model, and none is still being loaded. */
  readonly ready: boolean;
  /** Waits for what runs, then disposes the predictors. */
  dispose(): Promise<void>;
}

/** What a registry's batchers take; `onBatch` also hears which model ran. */
export interface ModelRegistryOptions extends Omit<BatcherOptions, "onBatch"> {
  readonly onBatch?: (model: ServedModel, batch: { readonly rows: number; readonly requests: number }) => void;
}

/** Makes an empty registry. @example const registry = createModelRegistry(); registry.add(await createPredictor(bundle, backend)); */
export function createModelRegistry({ onBatch, ...options }: ModelRegistryOptions = {}): ModelRegistry {
  const served: (ServedModel & { readonly predictor: Predictor })[] = [];
  const announced = new Set<string>();

  return {
    add: (predictor) => {
      const { manifest, backend } = predictor;
      const { name, version } = manifest;
      if (served.some((model) => model.name === name && model.version === version)) {
        throw new EspalierError("ARGUMENT_INVALID", `model "${name}" version ${version} is served already; name each bundle once`, { name, version });
      }
      const batcher = createBatcher((rows) => predictor.predict(rows), {
        ...options,
        ...(onBatch === undefined ? {} : { onBatch: (batch) => onBatch(model, batch) }),
      });
      const model = { name, version, manifest, backend, batcher, predictor };
      served.push(model);
      announced.delete(name);
      return model;
    },
    announce: (name) => {
      if (!served.some((model) => model.name === name)) announced.add(name);
    },
    find: (name, version) => {
      const versions = served.filter((model) => model.name === name);
      const found = version === undefined ? versions.at(-1) : versions.find((model) => model.version === version);
      if (found !== undefined) return found;
      if (announced.has(name)) throw new EspalierError("MODEL_NOT_READY", `model "${name}" is still being loaded; try again in a moment`, { name });
      throw notFound(name, version, served);
    },
    list: () => served,
    get ready() {
      return served.length > 0 && announced.size === 0;
    },
    dispose: async () => {
      for (const model of served.splice(0)) {
        await model.batcher.idle();
        await model.predictor.dispose();
      }
    },
  };
}

function notFound(name: string, version: string | undefined, served: readonly ServedModel[]): EspalierError {
  const names = [...new Set(served.map((model) => model.name))];
  const versions = served.filter((model) => model.name === name).map((model) => model.version);
  const known = names.length === 0 ? "this server has no models" : `this server has ${names.map((known) => `"${known}"`).join(", ")}`;
  const message = versions.length === 0 ? `no model "${name}"; ${known}` : `model "${name}" has no version "${version}", only ${versions.join(", ")}`;
  return new EspalierError("MODEL_NOT_FOUND", message, { name, version, names, versions });
}
