import { EspalierError } from "../errors.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { checkChoice } from "../nearest.ts";
import { reversed } from "./compact.ts";
import { configOf, described, type Layer, type LayerName, type LayerOutput } from "./layer.ts";
import type { RecurrentLayer } from "./recurrent.ts";

/** How the two directions become one output; with `none` (Keras's None) they stay two. */
export type MergeMode = "concat" | "sum" | "mul" | "ave" | "none";

/** Arguments of Keras's Bidirectional. */
export interface BidirectionalOptions<Output extends LayerOutput = LayerOutput> extends LayerName {
  /** An LSTM, GRU or SimpleRNN that runs forward. */
  readonly layer: RecurrentLayer<Output>;
  /** The one that runs backward; by default one with the same arguments. */
  readonly backwardLayer?: RecurrentLayer<Output> | undefined;
  /** Default concat. */
  readonly mergeMode?: MergeMode;
}

/**
 * A recurrent layer in both directions over [batch, steps, features]; steps of the output are where they are in the input.
 *
 * With `returnState`, the forward layer's states and then the backward layer's follow the output (or the two). State: `<name>/forward_lstm/kernel`,
 * `<name>/backward_lstm/kernel`, ...
 *
 * @throws ARGUMENT_INVALID when the layers do not go together
 * @see https://keras.io/api/layers/recurrent_layers/bidirectional/
 */
export function bidirectional(options: BidirectionalOptions & { readonly mergeMode: "none" }): Layer<readonly Value[]>;
export function bidirectional<Output extends LayerOutput>(options: BidirectionalOptions<Output>): Layer<Output>;
export function bidirectional({ layer, backwardLayer, mergeMode = "concat", ...common }: BidirectionalOptions): Layer<LayerOutput> {
  checkChoice("bidirectional", "mergeMode", mergeMode, ["concat", "sum", "mul", "ave", "none"]);
  if (typeof layer?.again !== "function") {
    throw new EspalierError("ARGUMENT_INVALID", `bidirectional: layer must be an lstm, gru or simpleRNN, not ${layer?.kind ?? "nothing"}`, {
      argument: "layer",
    });
  }
  const name = layer.name ?? layer.kind.toLowerCase();
  const zeroOutputForMask = layer.config["returnSequences"] === true; // as in Keras
  const forward = layer.again({ name: name.startsWith("forward_") ? name : `forward_${name}`, goBackwards: false, zeroOutputForMask });
  const backward = backwardLayer ?? layer.again({ name: `backward_${name.replace(/^forward_/, "")}`, goBackwards: true, zeroOutputForMask });
  for (const key of ["units", "returnSequences", "returnState"]) {
    if (forward.config[key] === backward.config[key]) continue;
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `bidirectional: ${key} is ${String(forward.config[key])} forward and ${String(backward.config[key])} backward`,
      { argument: key },
    );
  }
  if (layer.config["goBackwards"] === true || backward.config["goBackwards"] !== true) {
    throw new EspalierError("ARGUMENT_INVALID", "bidirectional: layer must run forward and backwardLayer backward (goBackwards)", {});
  }
  const written = (one: RecurrentLayer): object => ({ kind: one.kind, name: one.name, config: configOf(one) });
  return {
    ...described("Bidirectional", common, { layer: written(forward), backwardLayer: written(backward), mergeMode }),
    merges: true,
    apply(context, x, ...initial) {
      const { emit, maskOf, setMask, fail } = context;
      if (initial.length % 2 !== 0) return fail("takes first states of both directions or none");
      const half = initial.length / 2;
      const [a, ...forwardStates] = listed(context.apply<LayerOutput>(forward, x, ...initial.slice(0, half)));
      const [b, ...backwardStates] = listed(context.apply<LayerOutput>(backward, x, ...initial.slice(half)));
      if (a === undefined || b === undefined) return fail("its layers give nothing");
      const isSequence = forward.config["returnSequences"] === true;
      const aligned = isSequence ? reversed(emit, b) : b;
      const outputs = mergeMode === "none" ? [a, aligned] : [merged(emit, mergeMode, a, aligned)];
      const mask = maskOf(x);
      if (mask && isSequence) for (const output of outputs) setMask(output, mask);
      const all = [...outputs, ...forwardStates, ...backwardStates];
      return all.length === 1 ? (all[0] as Value) : all; // there is one
    },
  };
}

function merged(emit: Emitter, mergeMode: Exclude<MergeMode, "none">, a: Value, b: Value): Value {
  if (mergeMode === "concat") return emit.op("Concat", [a, b], { axis: -1 });
  if (mergeMode === "mul") return emit.op("Mul", [a, b]);
  const sum = emit.op("Add", [a, b]);
  return mergeMode === "ave" ? emit.op("Mul", [sum, emit.scalar(0.5, sum.dtype)]) : sum;
}

function listed(output: LayerOutput): readonly Value[] {
  return "name" in output ? [output] : output;
}
