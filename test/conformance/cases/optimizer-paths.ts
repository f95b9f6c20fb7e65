import { adafactor, adamW, GraphBuilder, lamb, muon, nadam, scalar, sgd, type Optimizer, type Tensors } from "../../../core/index.ts";
import type { ConformanceCase } from "../case.ts";
import { compareTensors } from "../compare.ts";
import { drawTensor } from "../draw.ts";

const shapes = { "body/kernel": [5, 3], "body/bias": [3], "head/kernel": [3, 4] } as const;

/** Optimizers of several nodes, groups, clipping and averages: all state equal to the reference backend's after some steps. */
export const optimizerPathCases: readonly ConformanceCase[] = [
  follows("LAMB", lamb({ weightDecay: 0.1 })),
  follows("Adafactor", adafactor({ weightDecay: 0.1 })),
  follows("Muon and AdamW", muon({ exclude: ["head/*"] })),
  follows(
    "groups with rates and decay of their own, one frozen",
    adamW({
      groups: [
        { match: "*/bias", learningRateFactor: 3, weightDecay: 0 },
        { match: "head/*", frozen: true },
      ],
    }),
  ),
  follows("clipped gradients", sgd({ momentum: 0.9, clipNorm: 1, clipValue: 0.3 })),
  follows("averages beside a fused optimizer", nadam({ ema: 0.8 })),
];

function follows(about: string, optimizer: Optimizer): ConformanceCase {
  const name = `optimizer: ${about}`;
  return {
    name,
    async run(backend, reference) {
      const builder = new GraphBuilder(name);
      optimizer.apply({
        builder,
        parameters: Object.entries(shapes).map(([parameter, shape]) => builder.state(parameter, "float32", shape)),
        gradients: Object.entries(shapes).map(([parameter, shape]) => builder.input(`gradient/${parameter}`, "float32", shape)),
        learningRate: builder.input("learning_rate", "float32", []),
        step: builder.input("step", "int64", []),
      });
      const graph = builder.build();
      const state = drawAll("", name);
      const [tested, trusted] = [await backend.compile(graph, { state }), await reference.compile(graph, { state })];
      try {
        for (let step = 1; step <= 4; step += 1) {
          const feeds = { ...drawAll("gradient/", `${name} ${step}`), learning_rate: scalar(0.02 * step), step: scalar(step, "int64") };
          await tested.run(feeds);
          await trusted.run(feeds);
          compareTensors(await tested.readState(), await trusted.readState(), { tolerance: 1e-4, what: `${name}, step ${step}` });
        }
      } finally {
        await tested.dispose();
        await trusted.dispose();
      }
    },
  };
}

function drawAll(prefix: string, seed: string): Tensors {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [prefix + name, drawTensor("normal", { dtype: "float32", shape, seedPath: [seed, name] })]),
  );
}
