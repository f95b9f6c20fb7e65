import type { Adaptation } from "./adaptation.ts";
import { floatOf, intOf, intsOf, requiredInput, withInput, withoutAttributes } from "./attribute-access.ts";
import { scalar, toNumbers } from "../../tensor.ts";

/** A list that was an attribute and became an input. */
function listInput(attribute: string, index: number, before: number): Adaptation {
  return {
    before,
    adapt(node, { emit }) {
      const list = intsOf(node, attribute);
      return withoutAttributes(list === undefined ? node : withInput(node, index, emit.ints(list)), attribute);
    },
  };
}

/** An optional bound or value that was a float attribute and became a scalar input. */
function scalarInput(attribute: string, index: number, before: number): Adaptation {
  return {
    before,
    adapt(node, context) {
      if (node.attributes[attribute] === undefined) return node;
      const { dtype } = requiredInput(node, 0, context);
      return withoutAttributes(withInput(node, index, context.emit.scalar(floatOf(node, attribute, 0), dtype)), attribute);
    },
  };
}

/** Scalars that some exporters write as a vector of one element. */
function toScalars(...indices: readonly number[]): Adaptation {
  return {
    adapt: (node, { emit }) =>
      indices.reduce((changed, index) => {
        const value = changed.inputs[index];
        return value !== undefined && value.shape.length === 1 && value.shape[0] === 1
          ? withInput(changed, index, emit.op("Squeeze", [value]))
          : changed;
      }, node),
  };
}

/** "To the end" is written as the largest int64, which is more than backends count to; the largest int32 says the same. */
function toSmallPlaces(...indices: readonly number[]): Adaptation {
  return {
    adapt: (node, { emit, constant }) =>
      indices.reduce((changed, index) => {
        const places = constant(changed.inputs[index]);
        const numbers = places?.dtype === "int64" ? toNumbers(places) : [];
        if (numbers.every((place) => Math.abs(place) <= largestPlace)) return changed;
        return withInput(changed, index, emit.ints(numbers.map((place) => Math.min(Math.max(place, -largestPlace), largestPlace))));
      }, node),
  };
}

const largestPlace = 2 ** 31 - 1;

const axes = (before: number): readonly Adaptation[] => [listInput("axes", 1, before)];

/** Operators whose attributes became inputs. */
export const inputAdaptations: Readonly<Record<string, readonly Adaptation[]>> = {
  Squeeze: axes(13),
  Unsqueeze: axes(13),
  ReduceSum: axes(13),
  ReduceMean: axes(18),
  ReduceMax: axes(18),
  ReduceMin: axes(18),
  ReduceProd: axes(18),
  ReduceL1: axes(18),
  ReduceL2: axes(18),
  ReduceLogSum: axes(18),
  ReduceLogSumExp: axes(18),
  ReduceSumSquare: axes(18),
  Split: [
    listInput("split", 1, 13),
    {
      before: 18,
      // Even parts went without saying.
      adapt: (node) =>
        node.inputs[1] === undefined ? { ...node, attributes: { ...node.attributes, num_outputs: { kind: "int", value: node.outputs } } } : node,
    },
  ],
  Slice: [listInput("starts", 1, 10), listInput("ends", 2, 10), listInput("axes", 3, 10), toSmallPlaces(1, 2)],
  Pad: [listInput("pads", 1, 11), scalarInput("value", 2, 11), toScalars(2)],
  Clip: [scalarInput("min", 1, 11), scalarInput("max", 2, 11), toScalars(1, 2)],
  TopK: [
    {
      before: 10,
      adapt: (node, { emit }) => withoutAttributes(withInput(node, 1, emit.ints([intOf(node, "k", 1)])), "k"),
    },
  ],
  Dropout: [
    {
      before: 12,
      adapt: (node, { emit }) => withoutAttributes(withInput(node, 1, emit.constant(scalar(floatOf(node, "ratio", 0.5)))), "ratio"),
    },
    {
      // The operator drops in training only; a file may say so, but not the opposite.
      adapt(node, { constant, refuse }) {
        const training = constant(node.inputs[2]);
        if (node.inputs[2] !== undefined && Number(training?.data[0] ?? 1) !== 0)
          refuse("it drops in inference too; export the model in inference mode");
        return { ...node, inputs: node.inputs.slice(0, 2) };
      },
    },
    toScalars(1),
  ],
  BatchNormalization: [
    {
      before: 9,
      adapt(node, { refuse }) {
        if (intOf(node, "spatial", 1) !== 1) refuse("statistics for each position (spatial = 0) are not read");
        return withoutAttributes(node, "spatial");
      },
    },
    {
      before: 14,
      // The outputs after the first were for training and are not read in inference.
      adapt: (node, { refuse }) => (node.outputs > 1 ? refuse("its statistics are read as outputs, which an inference graph does not have") : node),
    },
  ],
};
