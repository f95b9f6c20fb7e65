import {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  contrastive,
  cosineSimilarity,
  ctc,
  dice,
  differentiate,
  gaussianKlDivergence,
  GraphBuilder,
  hinge,
  huber,
  inBatchSoftmax,
  klDivergence,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  quantile,
  softmaxCrossEntropy,
  sparseFocalCrossentropy,
  squaredHinge,
  triplet,
  tversky,
  type Dimension,
  type Loss,
  type Value,
} from "../../../core/index.ts";
import type { ConformanceCase } from "../case.ts";
import { compareTensors } from "../compare.ts";
import { drawTensor, type Draw } from "../draw.ts";

const numbers = { shape: [3], output: "normal", labels: "normal" } as const;
const bits = { shape: [3], output: "normal", labels: { integers: [0, 2] } } as const;
const sizes = { shape: [3], output: { uniform: [0.1, 2] }, labels: { uniform: [0.1, 2] } } as const;
const oneHot = { shape: [3], output: "normal", labels: { values: [0, 1, 0, 0, 0, 1, 1, 0, 0] } } as const;
const classes = { shape: [4], output: "normal", labels: { integers: [0, 4] } } as const;
const sequences = { shape: [5, 4], output: "normal", labels: { integers: [-1, 4] } } as const;

/** Losses with row weights, and their gradients by the output: equal to the reference backend's at several batch sizes. */
export const lossCases: readonly ConformanceCase[] = [
  equal(meanSquaredError(), numbers),
  equal(meanAbsoluteError(), numbers),
  equal(meanAbsolutePercentageError(), sizes),
  equal(meanSquaredLogarithmicError(), sizes),
  equal(huber({ delta: 0.5 }), numbers),
  equal(logCosh(), numbers),
  equal(poisson(), sizes),
  equal(quantile({ quantiles: [0.1, 0.5, 0.9] }), numbers),
  equal(cosineSimilarity(), numbers),
  equal(hinge(), bits),
  equal(squaredHinge(), bits),
  equal(categoricalHinge(), oneHot),
  equal(binaryCrossentropy({ classWeights: [1, 3], labelSmoothing: 0.1 }), bits),
  equal(binaryFocalCrossentropy({ alpha: 0.3 }), bits),
  equal(categoricalCrossentropy({ classWeights: [1, 2, 3] }), oneHot),
  equal(categoricalFocalCrossentropy(), oneHot),
  equal(klDivergence(), oneHot),
  equal(softmaxCrossEntropy({ labelSmoothing: 0.1 }), classes),
  equal(softmaxCrossEntropy({ ignoreIndex: -1, classWeights: [1, 2, 3, 4] }), sequences),
  equal(sparseFocalCrossentropy({ ignoreIndex: -1 }), sequences),
  equal(dice(), { ...bits, shape: [4, 5] }),
  equal(tversky({ activation: "softmax", alpha: 0.3, beta: 0.7 }), { ...bits, shape: [4, 2] }),
  equal(contrastive(), { ...bits, output: { uniform: [0.1, 2] } }),
  equal(triplet(), { ...classes, labels: { integers: [0, 2] } }),
  equal(triplet({ mining: "hard" }), { ...classes, labels: { integers: [0, 2] } }),
  equal(inBatchSoftmax(), { shape: ["batch"], output: "normal", labels: { integers: [0, 3] } }),
  equal(gaussianKlDivergence(), classes),
  equal(ctc({ maxLabels: 2 }), { shape: [5, 4], output: "normal", labels: { values: [1, 2, 3, -1, 2, 2, -1, -1] } }),
];

interface Example {
  /** Of the output, without the batch. */
  readonly shape: readonly Dimension[];
  readonly output: Draw;
  readonly labels: Draw;
}

function equal(loss: Loss, { shape, output: outputDraw, labels: labelDraw }: Example): ConformanceCase {
  const name = `loss: ${loss.name}${loss.config["mining"] === "hard" ? ", hard" : ""}${shape.length > 1 ? ` of [batch, ${shape.join(", ")}]` : ""}`;
  return {
    name,
    async run(backend, reference) {
      const builder = new GraphBuilder(loss.name);
      const output = builder.input("output", "float32", ["batch", ...shape]);
      const type = loss.labels(output);
      const value = loss.build(builder, output, builder.input("labels", type.dtype, type.shape), builder.input("weights", "float32", ["batch"]));
      builder.output("value", value);
      builder.output("gradient", differentiate(builder, value, [output])[0] as Value); // one was asked for
      const graph = builder.build();
      const [tested, trusted] = [await backend.compile(graph), await reference.compile(graph)];
      try {
        for (const batch of [4, 1, 3]) {
          const draws = { output: outputDraw, labels: labelDraw, weights: { uniform: [0.5, 2] } } as const;
          const feeds = Object.fromEntries(
            graph.inputs.map((input) => {
              const sizesNow = input.shape.map((size) => (size === "batch" ? batch : size));
              const draw = draws[input.name as keyof typeof draws]; // the inputs are these three
              return [input.name, drawTensor(draw, { dtype: input.dtype, shape: sizesNow, seedPath: [name, input.name, batch] })];
            }),
          );
          compareTensors(await tested.run(feeds), await trusted.run(feeds), { tolerance: 2e-5, what: `${name}, batch ${batch}` });
        }
      } finally {
        await tested.dispose();
        await trusted.dispose();
      }
    },
  };
}
