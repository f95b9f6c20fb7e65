import { EspalierError } from "../errors.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { named, type Layer, type LayerName } from "./layer.ts";

/** Keras's activations by name; `linear` is none. `softmax` and `logSoftmax` are over the last dimension. */
export type ActivationName = "linear" | "relu" | "sigmoid" | "tanh" | "softmax" | "logSoftmax" | "exponential";

/** Applies an elementwise function or a softmax: [batch, ...] -> the same shape. */
export function activation({ activation: kind, ...common }: { readonly activation: ActivationName } & LayerName): Layer {
  checkActivation("activation", kind);
  return { kind: "Activation", ...named(common), config: { activation: kind }, apply: ({ emit }, x) => activate(emit, kind, x) };
}

/** An activation as part of another layer. */
export function activate(emit: Emitter, kind: ActivationName, x: Value): Value {
  const operator = operatorOf[kind];
  if (operator === undefined) return x;
  return emit.op(operator, [x], operator.endsWith("Softmax") ? { axis: -1 } : {});
}

/** @throws ARGUMENT_INVALID for a name that is not one */
export function checkActivation(where: string, kind: ActivationName): void {
  if (kind in operatorOf) return;
  throw new EspalierError("ARGUMENT_INVALID", `${where}: no activation "${kind}"; there are ${Object.keys(operatorOf).join(", ")}`, {
    activation: kind,
  });
}

const operatorOf: Readonly<Record<ActivationName, string | undefined>> = {
  linear: undefined,
  relu: "Relu",
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  softmax: "Softmax",
  logSoftmax: "LogSoftmax",
  exponential: "Exp",
};
