import type { FusedOptimizer, OptimizerKernel, OptimizerSetting, ParameterUpdate } from "./optimizer.ts";

/** Without AMSGrad's third slot; with it the plain path runs. */
const kernel: OptimizerKernel = {
  slots: 2,
  constants: ["alpha", "keepFirst", "beta", "keepSecond", "epsilon", "decay", "corrected", "kept"],
  values: constants,
  emit(code, { parameter: x, gradient, slots: [first, second] }, constant) {
    if (first === undefined || second === undefined) return { parameter: x, slots: [] }; // `slots` is 2
    const g = code.vector("multiplyAdd", [constant("decay"), x, gradient]);
    const v = code.vector("multiplyAdd", [constant("alpha"), first, code.vector("mul", [constant("keepFirst"), g])]);
    const square = code.vector("mul", [code.vector("mul", [constant("keepSecond"), g]), g]);
    const h = code.vector("multiplyAdd", [constant("beta"), second, square]);
    const root = code.vector("add", [code.vector("sqrt", [h]), constant("epsilon")]);
    const change = code.vector("div", [code.vector("mul", [constant("corrected"), v]), root]);
    return { parameter: code.vector("sub", [code.vector("mul", [constant("kept"), x]), change]), slots: [v, h] };
  },
};

/** Adam with decoupled weight decay, and with the largest mean square so far (AMSGrad). @see core/operators/adam-w.ts */
export const fusedAdamW: FusedOptimizer = { operator: "AdamW", update, kernel };

function update({ parameter, gradient, slots, ...setting }: ParameterUpdate): void {
  const [first, second, largest] = slots;
  if (first === undefined || second === undefined) return; // there are two slots at least
  const { alpha, keepFirst, beta, keepSecond, epsilon, decay, corrected, kept } = constants(setting);
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const v = alpha * (first[i] as number) + keepFirst * g;
    let h = beta * (second[i] as number) + keepSecond * g * g;
    first[i] = v;
    second[i] = h;
    if (largest !== undefined) {
      h = Math.max(h, largest[i] as number);
      largest[i] = h;
    }
    parameter[i] = kept * x - (corrected * v) / (Math.sqrt(h) + epsilon);
  }
}

type Constants = Readonly<Record<"alpha" | "keepFirst" | "beta" | "keepSecond" | "epsilon" | "decay" | "corrected" | "kept", number>>;

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
    kept: 1 - rate * attributes.float("weight_decay"),
  };
}
