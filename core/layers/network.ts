import { EspalierError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { formatShape, type StateValue } from "../graph/graph.ts";
import type { LayerCall } from "../models/layer-call.ts";
import type { Model } from "../models/model.ts";
import type { ParameterTraining } from "../models/parameter-training.ts";
import type { Value } from "../operators/operator.ts";
import { deriveSeed, Random } from "../random.ts";
import { tensor, type DType, type Tensor } from "../tensor.ts";
import { penalized } from "./activity-regularization.ts";
import { initialize } from "./initializer.ts";
import { checkConnected } from "./connected.ts";
import { configOf, snakeCase, type Layer, type LayerContext, type LayerOutput, type ParameterOptions } from "./layer.ts";

/**
 * Builds a model layer by layer: the functional style, for networks with several inputs, branches or shared layers.
 *
 * A layer object that is applied twice has one set of parameters. First values depend on the seed and on the parameter's name only.
 *
 * @example
 * const network = new Network("two-branches", { seed: 1 });
 * const x = network.input("features", [4]); // [batch, 4]
 * const hidden = network.apply(dense({ units: 8, activation: "relu" }), x); // [batch, 8]
 * network.output("prediction", network.apply(dense({ units: 1 }), network.apply(concatenate(), hidden, x)));
 * const model = network.build();
 */
export class Network {
  readonly #builder: GraphBuilder;
  readonly #seed: number;
  readonly #state: Record<string, Tensor> = {};
  readonly #parameters: Record<string, ParameterTraining> = {};
  readonly #masks = new Map<string, Value>();
  readonly #names = new Map<Layer<LayerOutput>, string>();
  readonly #calls: LayerCall[] = [];
  /** What this network has handed out: values of another are refused. */
  readonly #own = new WeakSet<Value>();

  constructor(name: string, { seed = 0 }: { readonly seed?: number } = {}) {
    this.#builder = new GraphBuilder(name);
    this.#seed = seed;
  }

  /** A feature tensor. @param shape one row's shape @returns [batch, ...shape] */
  input(name: string, shape: readonly number[], { dtype = "float32" }: { readonly dtype?: DType } = {}): Value {
    if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `input "${name}": sizes must be whole numbers from 1, in a list, not ${JSON.stringify(shape)}; the batch is not among them`,
        {
          shape,
        },
      );
    }
    return this.#handOut(this.#builder.input(name, dtype, ["batch", ...shape]));
  }

  /**
   * Adds a layer.
   *
   * @throws GRAPH_SHAPE naming the layer and its input's shape, ARGUMENT_INVALID
   */
  apply<Output extends LayerOutput>(layer: Layer<Output>, input: Value, ...others: readonly Value[]): Output {
    if (typeof layer !== "object" || typeof layer.apply !== "function") {
      const what = typeof layer === "function" ? "a function; call it" : JSON.stringify(layer);
      throw new EspalierError("ARGUMENT_INVALID", `apply: a layer must be one, such as dense({ units: 1 }), not ${what}`, {});
    }
    const name = this.#nameOf(layer, "");
    const inputs = [input, ...others];
    for (const value of inputs) this.#checkOwn(value, name);
    return this.#handOut(this.#call(layer, { name, frozen: false, calls: this.#calls }, inputs));
  }

  /** Names an output of the model. @throws ARGUMENT_INVALID for a value of another network; GRAPH_INVALID for a name that is there */
  output(name: string, value: Value): void {
    this.#checkOwn(value, `output "${name}"`);
    this.#builder.output(name, value);
  }

  /**
   * The model.
   *
   * @throws GRAPH_INVALID when there is no output, an output depends on no input, or an input reaches no output
   * @param config how the model was made, for people and run records; by default its name, seed and layers
   */
  build(config?: Readonly<Record<string, unknown>>): Model {
    const layers = this.#calls.map((call) => ({ kind: call.kind, name: call.name, config: call.config }));
    const graph = this.#builder.build();
    checkConnected(graph);
    return {
      graph,
      state: this.#state,
      config: config ?? { name: this.#builder.name, seed: this.#seed, layers },
      layers: this.#calls,
      ...(Object.keys(this.#parameters).length > 0 && { parameters: this.#parameters }),
    };
  }

  #handOut<Output extends LayerOutput>(output: Output): Output {
    for (const value of valuesOf(output)) this.#own.add(value);
    return output;
  }

  #checkOwn(value: Value, where: string): void {
    if (this.#own.has(value)) return;
    if (Array.isArray(value)) {
      const mend = "give several inputs one by one, and choose from what a layer with several outputs gives";
      throw new EspalierError("ARGUMENT_INVALID", `${where}: a list of ${value.length} is no value; ${mend}`, {});
    }
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${where}: "${value.name}" is no value of the network "${this.#builder.name}"; use what its input and apply return`,
      {
        value: value.name,
      },
    );
  }

  /** Writes a layer and notes the call. */
  #call<Output extends LayerOutput>(layer: Layer<Output>, place: Place, inputs: readonly Value[]): Output {
    const before = this.#builder.nodes.length;
    // Of a copied model, the names of the state here.
    const inner: LayerCall[] = (layer.inner ?? []).map((call) => {
      return Object.assign({}, call, { state: call.state.map((state) => `${place.name}/${state}`) });
    });
    const output = this.#write(layer, { ...place, calls: inner }, inputs);
    place.calls.push({
      name: place.name,
      kind: layer.kind,
      config: configOf(layer),
      ...(layer.trainable === false && { trainable: false }),
      inputs: inputs.map((value) => value.name),
      outputs: valuesOf(output).map((value) => value.name),
      nodes: this.#builder.nodes.slice(before).map((node) => node.name),
      state: this.#builder.stateNames.filter((state) => state.startsWith(`${place.name}/`)),
      ...(inner.length > 0 && { layers: inner }),
    });
    return output;
  }

  #write<Output extends LayerOutput>(layer: Layer<Output>, place: Place, inputs: readonly Value[]): Output {
    const [input, ...others] = inputs as [Value, ...Value[]]; // `apply` takes one or more
    if (others.length > 0 && layer.merges !== true) {
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `${place.name}: a ${layer.kind} takes one input, not ${inputs.length}; merge them first with add or concatenate`,
        { layer: place.name },
      );
    }
    const frozen = place.frozen || layer.trainable === false;
    const scope = place.name.slice(this.#builder.prefix.length); // scopes nest, names are whole
    const written = this.#builder.scope(scope, () => layer.apply(this.#context({ ...place, frozen }, inputs), input, ...others));
    if (typeof written !== "object") {
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `${place.name}: apply of a ${layer.kind} returned ${typeof written}; return the value that it wrote`,
        {
          layer: place.name,
        },
      );
    }
    const mask = layer.passesMask === true ? this.#masks.get(input.name) : undefined;
    if (mask !== undefined) for (const value of valuesOf(written)) if (!this.#masks.has(value.name)) this.#masks.set(value.name, mask);
    return layer.activityRegularizer === undefined ? written : this.#builder.scope(scope, () => this.#penalized(layer, written));
  }

  /** A layer's output, each value marked with the penalty on it. */
  #penalized<Output extends LayerOutput>({ activityRegularizer }: Layer<Output>, output: Output): Output {
    const marked = valuesOf(output).map((value) => {
      const same = penalized(this.#builder, activityRegularizer, value);
      const mask = this.#masks.get(value.name);
      if (mask !== undefined) this.#masks.set(same.name, mask);
      return same;
    });
    return ("name" in output ? marked[0] : marked) as Output; // one for each
  }

  #nameOf(layer: Layer<LayerOutput>, prefix: string): string {
    const known = this.#names.get(layer);
    if (known !== undefined) return known;
    const taken = new Set(this.#names.values());
    const base = prefix + (layer.name ?? snakeCase(layer.kind));
    if (layer.name !== undefined && taken.has(base)) {
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `two layers are named "${base}"; give one of them another name, or apply the same layer object twice to share its weights`,
        { layer: base },
      );
    }
    let name = base;
    for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
    this.#names.set(layer, name);
    return name;
  }

  #context(place: Place, inputs: readonly Value[]): LayerContext {
    const state =
      (role: StateValue["role"]): LayerContext["parameter"] =>
      (name, shape, options) => {
        if (options?.initializer === undefined) {
          throw new EspalierError("ARGUMENT_INVALID", `${place.name}: "${name}" has no first values; give it { initializer }, such as "zeros"`, {
            parameter: name,
          });
        }
        return this.#stateValue({ name: `${place.name}/${name}`, shape, role, frozen: place.frozen }, options);
      };
    return {
      emit: this.#builder,
      parameter: state("parameter"),
      statistic: state("statistic"),
      maskOf: (value) => this.#masks.get(value.name),
      setMask: (value, mask) => this.#masks.set(value.name, mask),
      apply: (layer, ...values) => this.#call(layer, { ...place, name: this.#nameOf(layer, `${place.name}/`) }, values),
      fail: (message) => {
        throw new EspalierError("GRAPH_SHAPE", `${place.name} (of ${inputs.map((input) => formatShape(input.shape)).join(", ")}): ${message}`, {
          layer: place.name,
        });
      },
    };
  }

  #stateValue(wanted: WantedState, { initializer, regularizer, constraint, frozen = false, ...fans }: ParameterOptions): Value {
    const { name, shape, role } = wanted;
    const shared = this.#state[name];
    if (shared !== undefined) {
      if (formatShape(shared.shape) === formatShape(shape)) return this.#builder.value(name);
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `"${name}" has shape ${formatShape(shared.shape)} from the layer's first use, but this use needs ${formatShape(shape)}`,
        { parameter: name },
      );
    }
    const first =
      typeof initializer === "object" && "data" in initializer ? given(name, shape, initializer) : this.#draw(name, shape, { initializer, ...fans });
    this.#state[name] = first;
    const training: ParameterTraining = {
      ...((frozen || wanted.frozen) && { frozen: true }),
      ...(regularizer && { regularizer }),
      ...(constraint && { constraint }),
    };
    if (Object.keys(training).length > 0) this.#parameters[name] = training;
    return this.#builder.state(name, first.dtype, shape, { role });
  }

  #draw(name: string, shape: readonly number[], { initializer, fanIn = defaultFanIn(shape), fanOut = shape.at(-1) ?? 1, rows }: DrawOptions): Tensor {
    const random = new Random(deriveSeed(this.#seed, name));
    return tensor("float32", shape, initialize(initializer, { shape, fanIn, fanOut, rows, random }));
  }
}

/** Where a layer is written. */
interface Place {
  /** The layer's whole name, with those of the layers that it is inside of. */
  readonly name: string;
  /** Whether a layer around it is not trained. */
  readonly frozen: boolean;
  /** Where its call is noted. */
  readonly calls: LayerCall[];
}

interface WantedState {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: StateValue["role"];
  readonly frozen: boolean;
}

type DrawOptions = Pick<ParameterOptions, "fanIn" | "fanOut" | "rows"> & { readonly initializer: Exclude<ParameterOptions["initializer"], Tensor> };

function given(name: string, shape: readonly number[], values: Tensor): Tensor {
  if (formatShape(values.shape) === formatShape(shape)) return values;
  throw new EspalierError("ARGUMENT_INVALID", `"${name}" has shape ${formatShape(shape)}, but its first values have ${formatShape(values.shape)}`, {
    parameter: name,
  });
}

function valuesOf(output: LayerOutput): readonly Value[] {
  return "name" in output ? [output] : output;
}

function defaultFanIn(shape: readonly number[]): number {
  return shape.slice(0, -1).reduce((product, size) => product * size, 1);
}
