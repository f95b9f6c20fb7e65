import { tensor } from "../tensor.ts";
import { windowCounts } from "./average-pool.ts";
import { broadcastTo } from "./gradients.ts";
import type { Attributes, AttributeSpec, Emitter, InferContext, Operator, Value } from "./operator.ts";
import { explicitPool, poolAttributes, poolWindow, spatialAxes, typedGlobalPool, typedPool } from "./pool.ts";

const p: AttributeSpec = { kind: "int", default: 2 };

/** The p-norm, (sum |x|^p)^(1/p), of each window of X [batch, C, ...spatial]. @see https://onnx.ai/onnx/operators/onnx__LpPool.html */
export const lpPool: Operator = {
  name: "LpPool",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { ...poolAttributes, p },
  infer(context) {
    checkPower(context);
    return [typedPool(context)];
  },
  gradient({ emit, input, attributes, outputs: [y], gradients: [dy] }) {
    if (y === undefined || dy === undefined) return [];
    const x = input(0);
    const spatial = x.shape.slice(2).map(Number);
    const options = { ...sumOptions(attributes, x), input_spatial: spatial };
    return [
      throughNorm(emit, { x, y, dy, power: attributes.int("p") }, (share) => {
        return emit.op("AveragePoolGrad", [emit.op("Mul", [share, windowSizes(emit, attributes, x)])], options);
      }),
    ];
  },
  lower({ emit, input, attributes }) {
    const x = input(0);
    const mean = emit.op("AveragePool", [raised(emit, emit.op("Abs", [x]), attributes.int("p"))], sumOptions(attributes, x));
    return [raised(emit, emit.op("Mul", [mean, windowSizes(emit, attributes, x)]), 1 / attributes.int("p"))];
  },
};

/** The p-norm over all spatial axes, which stay as size 1. @see https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html */
export const globalLpPool: Operator = {
  name: "GlobalLpPool",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { p },
  infer(context) {
    checkPower(context);
    return [typedGlobalPool(context)];
  },
  gradient({ emit, input, attributes, outputs: [y], gradients: [dy] }) {
    if (y === undefined || dy === undefined) return [];
    const x = input(0);
    return [throughNorm(emit, { x, y, dy, power: attributes.int("p") }, (share) => broadcastTo(emit, share, x))];
  },
  lower({ emit, input, attributes }) {
    const powers = raised(emit, emit.op("Abs", [input(0)]), attributes.int("p"));
    const sum = emit.op("ReduceSum", [powers, emit.ints(spatialAxes(input(0)))], { keepdims: 1 });
    return [raised(emit, sum, 1 / attributes.int("p"))];
  },
};

function checkPower(context: InferContext): void {
  if (context.attributes.int("p") < 1) context.fail(`p must be at least 1, not ${context.attributes.int("p")}`);
}

interface Norm {
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly power: number;
}

/** dx = sign(x) |x|^(p-1) times what `back` makes of dy y^(1-p). A window of zeros has gradient 0, where the formula has 0 / 0. */
function throughNorm(emit: Emitter, { x, y, dy, power }: Norm, back: (share: Value) => Value): Value {
  const zero = emit.scalar(0, y.dtype);
  const isZero = emit.op("Equal", [y, zero]);
  const safe = emit.op("Where", [isZero, emit.scalar(1, y.dtype), y]);
  const share = emit.op("Where", [isZero, zero, emit.op("Mul", [dy, raised(emit, safe, 1 - power)])]);
  const slope = emit.op("Mul", [emit.op("Sign", [x]), raised(emit, emit.op("Abs", [x]), power - 1)]);
  return emit.op("Mul", [slope, back(share)]);
}

function raised(emit: Emitter, value: Value, power: number): Value {
  if (power === 0) return emit.scalar(1, value.dtype);
  return power === 1 ? value : emit.op("Pow", [value, emit.scalar(power, value.dtype)]);
}

function sumOptions(attributes: Attributes, x: Value): ReturnType<typeof explicitPool> {
  return { ...explicitPool(attributes, x.shape.slice(2)), count_include_pad: 1 };
}

/** What turns the mean that AveragePool takes over each window into the sum: [1, 1, ...output]. */
function windowSizes(emit: Emitter, attributes: Attributes, x: Value): Value {
  const window = poolWindow(attributes, x.shape.slice(2));
  const counts = windowCounts(window, { includePad: true });
  const sizes = counts.reduce<readonly number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]);
  return emit.constant(tensor(x.dtype, [1, 1, ...window.output], sizes));
}
