import type { FusedOptimizer, OptimizerKernel, OptimizerSetting, ParameterUpdate } from "./optimizer.ts";

const kernel: OptimizerKernel = {
  slots: 1,
  constants: ["alpha", "fresh", "decay", "alongVelocity", "alongGradient"],
  values: constants,
  emit(code, { parameter: x, gradient, slots: [velocity] }, constant) {
    if (velocity === undefined) return { parameter: x, slots: [] }; // `slots` is 1
    const g = code.vector("multiplyAdd", [constant("decay"), x, gradient]);
    const v = code.vector("multiplyAdd", [constant("alpha"), velocity, code.vector("mul", [constant("fresh"), g])]);
    const change = code.vector("multiplyAdd", [constant("alongVelocity"), v, code.vector("mul", [constant("alongGradient"), g])]);
    return { parameter: code.vector("sub", [x, change]), slots: [v] };
  },
};

/**
 * Stochastic gradient descent with momentum, standard or Nesterov's, with ONNX's meaning.
 *
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html
 */
export const fusedMomentum: FusedOptimizer = { operator: "Momentum", update, kernel };

function update({ parameter, gradient, slots, ...setting }: ParameterUpdate): void {
  const [velocity] = slots;
  if (velocity === undefined) return; // `slots` is 1
  const { alpha, fresh, decay, alongVelocity, alongGradient } = constants(setting);
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all three arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const v = alpha * (velocity[i] as number) + fresh * g;
    velocity[i] = v;
    parameter[i] = x - (alongVelocity * v + alongGradient * g);
  }
}

type Constants = Readonly<Record<"alpha" | "fresh" | "decay" | "alongVelocity" | "alongGradient", number>>;

/** The step is rate * v, or with Nesterov's look ahead rate * (g + alpha * v). */
function constants({ attributes, rate, step }: OptimizerSetting): Constants {
  const alpha = attributes.float("alpha");
  const isNesterov = attributes.string("mode") === "nesterov";
  return {
    alpha,
    fresh: step > 0 ? attributes.float("beta") : 1,
    decay: attributes.float("norm_coefficient"),
    alongVelocity: isNesterov ? rate * alpha : rate,
    alongGradient: isNesterov ? rate : 0,
  };
}
