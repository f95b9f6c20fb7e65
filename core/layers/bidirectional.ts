import { EspalierError } from "../errors.ts";
import type { Value } from "../operators/operator.ts";
import { checkChoice } from "./argument.ts";
import { reversed } from "./compact.ts";
import { configOf, named, type Layer, type LayerName, type LayerOutput } from "./layer.ts";
import type { RecurrentLayer } from "./recurrent.ts";

/** How the two directions become one output. */
export type MergeMode = "concat" | "sum" | "mul" | "ave";

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
 * With `returnState`, the forward layer's states and then the backward layer's follow the output. State: `<name>/forward_lstm/kernel`,
 * `<name>/backward_lstm/kernel`, ...
 *
 * @throws ARGUMENT_INVALID when the layers do not go together
 * @see https://keras.io/api/layers/recurrent_layers/bidirectional/
 */
export function bidirectional<Output extends LayerOutput>({
  layer,
  backwardLayer,
  mergeMode = "concat",
  ...common
}: BidirectionalOptions<Output>): Layer<Output> {
  checkChoice("bidirectional", "mergeMode", mergeMode, ["concat", "sum", "mul", "ave"]);
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
  const described = (one: RecurrentLayer): object => ({ kind: one.kind, name: one.name, config: configOf(one) });
  return {
    kind: "Bidirectional",
    ...named(common),
    config: { layer: described(forward), backwardLayer: described(backward), mergeMode },
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
      const merged =
        mergeMode === "concat" ? emit.op("Concat", [a, aligned], { axis: -1 }) : emit.op(mergeMode === "mul" ? "Mul" : "Add", [a, aligned]);
      const output = mergeMode === "ave" ? emit.op("Mul", [merged, emit.scalar(0.5, merged.dtype)]) : merged;
      const mask = maskOf(x);
      if (mask && isSequence) setMask(output, mask);
      const states = [...forwardStates, ...backwardStates];
      return (states.length === 0 ? output : [output, ...states]) as Output; // what the layers give, both
    },
  };
}

function listed(output: LayerOutput): readonly Value[] {
  return "name" in output ? [output] : output;
}
