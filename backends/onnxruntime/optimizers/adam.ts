import type { FusedOptimizer, OptimizerKernel, OptimizerSetting, ParameterUpdate } from "./optimizer.ts";

/** 535,818 parameters, the MLP's of `npm run bench -- training`, in one thread: 0.31 ms, where the plain path takes 2.4. */
const kernel: OptimizerKernel = {
  slots: 2,
  constants: ["alpha", "keepFirst", "beta", "keepSecond", "epsilon", "decay", "corrected", "shrink"],
  values: constants,
  emit(code, { parameter: x, gradient, slots: [first, second] }, constant) {
    if (first === undefined || second === undefined) return { parameter: x, slots: [] }; // `slots` is 2
    const g = code.vector("multiplyAdd", [constant("decay"), x, gradient]);
    const v = code.vector("multiplyAdd", [constant("alpha"), first, code.vector("mul", [constant("keepFirst"), g])]);
    const square = code.vector("mul", [code.vector("mul", [constant("keepSecond"), g]), g]);
    const h = code.vector("multiplyAdd", [constant("beta"), second, square]);
    const root = code.vector("add", [code.vector("sqrt", [h]), constant("epsilon")]);
    const change = code.vector("div", [code.vector("mul", [constant("corrected"), v]), root]);
    return { parameter: code.vector("mul", [constant("shrink"), code.vector("sub", [x, change])]), slots: [v, h] };
  },
};

/**
 * Adam with ONNX's meaning. Constants are float64, and arithmetic too in the plain path: in float32, 1 - beta^T of the first steps cancels.
 *
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html
 */
export const fusedAdam: FusedOptimizer = { operator: "Adam", update, kernel };

function update({ parameter, gradient, slots, ...setting }: ParameterUpdate): void {
  const [first, second] = slots;
  if (first === undefined || second === undefined) return; // `slots` is 2
  const { alpha, keepFirst, beta, keepSecond, epsilon, decay, corrected, shrink } = constants(setting);
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all four arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const v = alpha * (first[i] as number) + keepFirst * g;
    const h = beta * (second[i] as number) + keepSecond * g * g;
    first[i] = v;
    second[i] = h;
    parameter[i] = shrink * (x - (corrected * v) / (Math.sqrt(h) + epsilon));
  }
}

type Constants = Readonly<Record<"alpha" | "keepFirst" | "beta" | "keepSecond" | "epsilon" | "decay" | "corrected" | "shrink", number>>;

function constants({ attributes, rate, step }: OptimizerSetting): Constants {
  const alpha = attributes.float("alpha");
  const beta = attributes.float("beta");
  return {
    alpha,
    keepFirst: 1 - alpha,
    beta,
    keepSecond: 1 - beta,
    epsilon: attributes.float("epsilon"),
    decay: attributes.float("norm_coefficient"),
    corrected: step > 0 ? (rate * Math.sqrt(1 - beta ** step)) / (1 - alpha ** step) : rate,
    shrink: 1 - attributes.float("norm_coefficient_post"),
  };
}
