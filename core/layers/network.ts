import { EspalierError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { formatShape } from "../graph/graph.ts";
import type { Model } from "../models/model.ts";
import type { Value } from "../operators/operator.ts";
import { deriveSeed, Random } from "../random.ts";
import { tensor, type DType, type Tensor } from "../tensor.ts";
import { initialize } from "./initializer.ts";
import type { Layer, LayerContext, ParameterOptions } from "./layer.ts";

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
  readonly #names = new Map<Layer, string>();
  readonly #layers: Record<string, unknown>[] = [];

  constructor(name: string, { seed = 0 }: { readonly seed?: number } = {}) {
    this.#builder = new GraphBuilder(name);
    this.#seed = seed;
  }

  /** A feature tensor. @param shape one row's shape @returns [batch, ...shape] */
  input(name: string, shape: readonly number[], { dtype = "float32" }: { readonly dtype?: DType } = {}): Value {
    return this.#builder.input(name, dtype, ["batch", ...shape]);
  }

  /**
   * Adds a layer.
   *
   * @throws GRAPH_SHAPE naming the layer and its input's shape, ARGUMENT_INVALID
   */
  apply(layer: Layer, input: Value, ...others: readonly Value[]): Value {
    const known = this.#names.get(layer);
    const name = known ?? this.#nameOf(layer);
    const inputs = [input, ...others];
    if (others.length > 0 && layer.merges !== true) {
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `${name}: a ${layer.kind} takes one input, not ${inputs.length}; merge them first with add or concatenate`,
        { layer: name },
      );
    }
    this.#layers.push({ kind: layer.kind, name, config: layer.config });
    return this.#builder.scope(name, () => layer.apply(this.#context(name, inputs), input, ...others));
  }

  output(name: string, value: Value): void {
    this.#builder.output(name, value);
  }

  /** @param config how the model was made, for people and run records; by default the list of layers */
  build(config: Readonly<Record<string, unknown>> = { name: this.#builder.name, seed: this.#seed, layers: this.#layers }): Model {
    return { graph: this.#builder.build(), state: this.#state, config };
  }

  #nameOf(layer: Layer): string {
    const taken = new Set(this.#names.values());
    const base = layer.name ?? layer.kind.toLowerCase();
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

  #context(layerName: string, inputs: readonly Value[]): LayerContext {
    return {
      emit: this.#builder,
      parameter: (name, shape, options) => this.#parameter(`${layerName}/${name}`, shape, options),
      fail: (message) => {
        throw new EspalierError("GRAPH_SHAPE", `${layerName} (of ${inputs.map((input) => formatShape(input.shape)).join(", ")}): ${message}`, {
          layer: layerName,
        });
      },
    };
  }

  #parameter(
    name: string,
    shape: readonly number[],
    { initializer, fanIn = defaultFanIn(shape), fanOut = shape.at(-1) ?? 1 }: ParameterOptions,
  ): Value {
    const shared = this.#state[name];
    if (shared !== undefined) {
      if (formatShape(shared.shape) === formatShape(shape)) return this.#builder.value(name);
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `"${name}" has shape ${formatShape(shared.shape)} from the layer's first use, but this use needs ${formatShape(shape)}`,
        { parameter: name },
      );
    }
    const random = new Random(deriveSeed(this.#seed, name));
    this.#state[name] = tensor("float32", shape, initialize(initializer, { shape, fanIn, fanOut, random }));
    return this.#builder.state(name, "float32", shape);
  }
}

function defaultFanIn(shape: readonly number[]): number {
  return shape.slice(0, -1).reduce((product, size) => product * size, 1);
}
