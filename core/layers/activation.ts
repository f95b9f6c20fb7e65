import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";
import { reshape } from "../operators/gradients.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { elementCount } from "../tensor.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { axesLast, featureAxes } from "./move-axis.ts";

/** Keras's activations by name, in camel case; `linear` is none. `softmax`, `logSoftmax` and `glu` (which halves it) are over the last dimension. */
export type ActivationName =
  | "linear"
  | "relu"
  | "relu6"
  | "leakyRelu"
  | "elu"
  | "gelu"
  | "silu"
  | "swish"
  | "sigmoid"
  | "logSigmoid"
  | "tanh"
  | "tanhShrink"
  | "hardTanh"
  | "softplus"
  | "squareplus"
  | "glu"
  | "exponential"
  | "celu"
  | "selu"
  | "mish"
  | "softsign"
  | "hardSigmoid"
  | "hardSilu"
  | "hardSwish"
  | "hardShrink"
  | "softShrink"
  | "softmax"
  | "logSoftmax";

type Formula = (emit: Emitter, x: Value) => Value;

const functions: Readonly<Record<ActivationName, Formula>> = {
  linear: (_, x) => x,
  relu: (emit, x) => emit.op("Relu", [x]),
  relu6: (emit, x) => emit.op("Clip", [x, emit.scalar(0, x.dtype), emit.scalar(6, x.dtype)]),
  leakyRelu: (emit, x) => emit.op("LeakyRelu", [x], { alpha: 0.2 }),
  elu: (emit, x) => emit.op("Elu", [x]),
  gelu: (emit, x) => emit.op("Gelu", [x]),
  silu,
  swish: silu,
  sigmoid: (emit, x) => emit.op("Sigmoid", [x]),
  logSigmoid: (emit, x) => emit.op("Neg", [emit.op("Softplus", [emit.op("Neg", [x])])]),
  tanh: (emit, x) => emit.op("Tanh", [x]),
  tanhShrink: (emit, x) => emit.op("Sub", [x, emit.op("Tanh", [x])]),
  hardTanh: (emit, x) => emit.op("Clip", [x, emit.scalar(-1, x.dtype), emit.scalar(1, x.dtype)]),
  softplus: (emit, x) => emit.op("Softplus", [x]),
  squareplus: (emit, x) => {
    const root = emit.op("Sqrt", [emit.op("Add", [emit.op("Mul", [x, x]), emit.scalar(4, x.dtype)])]);
    return emit.op("Mul", [emit.op("Add", [x, root]), emit.scalar(0.5, x.dtype)]);
  },
  glu: (emit, x) => {
    const [value, gate] = emit.ops("Split", [x], 2, { axis: -1, num_outputs: 2 });
    return emit.op("Mul", [value, emit.op("Sigmoid", [gate])]);
  },
  celu: (emit, x) => emit.op("Celu", [x]),
  selu: (emit, x) => emit.op("Selu", [x]),
  mish: (emit, x) => emit.op("Mish", [x]),
  softsign: (emit, x) => emit.op("Softsign", [x]),
  hardSigmoid: (emit, x) => emit.op("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 }),
  hardSilu: (emit, x) => emit.op("HardSwish", [x]),
  hardSwish: (emit, x) => emit.op("HardSwish", [x]),
  hardShrink: (emit, x) => emit.op("Shrink", [x], { lambd: 0.5 }),
  softShrink: (emit, x) => emit.op("Shrink", [x], { lambd: 0.5, bias: 0.5 }),
  exponential: (emit, x) => emit.op("Exp", [x]),
  softmax: (emit, x) => emit.op("Softmax", [x], { axis: -1 }),
  logSoftmax: (emit, x) => emit.op("LogSoftmax", [x], { axis: -1 }),
};

/**
 * Applies an elementwise function or a softmax: [batch, ...] -> the same shape.
 *
 * @throws ARGUMENT_INVALID for a name that is none; GRAPH_SHAPE for `glu` on a last dimension that is odd
 * @see https://keras.io/api/layers/activations/
 */
export function activation({ activation: kind, ...common }: { readonly activation: ActivationName } & LayerName): Layer {
  checkActivation("activation", kind);
  return {
    ...described("Activation", common, { activation: kind }),
    passesMask: true,
    placewise: true,
    apply: ({ emit }, x) => activate(emit, kind, x),
  };
}

/**
 * Exponentials that add up to 1 along an axis, or over several: [batch, ...] -> the same shape.
 *
 * @param options.axis default -1
 * @throws GRAPH_SHAPE for an axis that the input has not
 * @see https://keras.io/api/layers/activation_layers/softmax/
 */
export function softmax({ axis = -1, ...common }: { readonly axis?: number | readonly number[] } & LayerName = {}): Layer {
  return {
    ...described("Softmax", common, { axis }),
    passesMask: true,
    apply({ emit, fail }, x) {
      const axes = featureAxes(x, axis, fail);
      const [first = 0] = axes;
      if (axes.length === 1) return emit.op("Softmax", [x], { axis: first });
      return axesLast(emit, x, axes, (turned) => {
        const outer = turned.shape.slice(0, -axes.length);
        const flat = reshape(emit, turned, [...outer, elementCount(axes.map((place) => Number(x.shape[place])))]);
        return reshape(emit, emit.op("Softmax", [flat], { axis: -1 }), turned.shape);
      });
    },
  };
}

/** An activation as part of another layer. */
export function activate(emit: Emitter, kind: ActivationName, x: Value): Value {
  return functions[kind](emit, x);
}

/** Whether it is over the last dimension and not of each element. */
export function isOfLastAxis(kind: ActivationName): boolean {
  return kind === "softmax" || kind === "logSoftmax" || kind === "glu";
}

/** @throws ARGUMENT_INVALID for a name that is not one, with the nearest */
export function checkActivation(where: string, kind: unknown): void {
  if (typeof kind === "string" && Object.hasOwn(functions, kind)) return;
  throw new EspalierError("ARGUMENT_INVALID", `${where}: no activation "${String(kind)}"${suggestNames(String(kind), Object.keys(functions))}`, {
    activation: kind,
  });
}

/** x sigmoid(x): also called swish. */
function silu(emit: Emitter, x: Value): Value {
  return emit.op("Mul", [x, emit.op("Sigmoid", [x])]);
}
