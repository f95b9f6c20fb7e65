import { tensor, toNumbers } from "../tensor.ts";
import { asNumber } from "./gradients.ts";
import type { LowerContext, Operator, TrainingContext } from "./operator.ts";
import { alike, floatTypes, typed } from "./shapes.ts";

/**
 * Dropout: the input as it is when predicting; in a training step each element is kept with probability 1 - ratio and divided by it, or set to 0.
 *
 * Inputs: data, ratio (a constant scalar, 0.5 when left out) and training_mode (a constant that must be false: `trainingForm` writes the other form).
 * Outputs: the result in the data's shape, and the mask (all true here) if two outputs are named.
 *
 * @see https://onnx.ai/onnx/operators/onnx__Dropout.html
 * @see N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting (2014)
 */
export const dropout: Operator = {
  name: "Dropout",
  domain: "",
  inputs: [1, 3],
  outputs: [1, 2],
  isDistinct: true,
  attributes: { seed: { kind: "int" } },
  infer(context) {
    const data = typed(context, 0, floatTypes);
    const [, ratio, mode] = context.inputs;
    if (ratio !== undefined) {
      const value = context.constant(1);
      if (ratio.shape.length > 0 || value === undefined) return context.fail("the ratio (input 1) must be a constant scalar");
      const [number = NaN] = toNumbers(value);
      if (!(number >= 0 && number < 1)) return context.fail(`the ratio must be from 0 to below 1, not ${number}`);
    }
    if (mode !== undefined) {
      alike(context, [2], ["bool"]);
      const value = context.constant(2);
      if (value === undefined || Number(value.data[0]) !== 0) {
        return context.fail("training_mode (input 2) must be a constant false: a training graph is made from the prediction's form");
      }
    }
    return [data, { dtype: "bool" as const, shape: data.shape }].slice(0, context.outputCount);
  },
  lower: (context) => kept(context),
  training(context) {
    const { emit, input, outputTypes, random } = context;
    const ratio = ratioOf(context);
    if (ratio === 0) return kept(context);
    const data = input(0);
    const mask = random({ distribution: "bernoulli", probability: 1 - ratio }, "bool", data.shape);
    const scaled = emit.op("Mul", [asNumber(emit, mask, data), emit.scalar(1 / (1 - ratio), data.dtype)]);
    return [emit.op("Mul", [data, scaled]), mask].slice(0, outputTypes.length);
  },
};

function kept({ emit, input, outputTypes }: LowerContext): readonly ReturnType<typeof emit.op>[] {
  const same = emit.op("Identity", [input(0)]);
  if (outputTypes.length === 1) return [same];
  const mask = emit.op("Expand", [emit.constant(tensor("bool", [], [true])), emit.op("Shape", [input(0)])]);
  return [same, mask];
}

function ratioOf({ inputs, constant }: TrainingContext): number {
  const value = constant(1);
  return inputs[1] === undefined || value === undefined ? 0.5 : (toNumbers(value)[0] ?? 0.5);
}
