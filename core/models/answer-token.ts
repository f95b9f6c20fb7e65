import type { Initializer, Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";

/** Puts one learned token before the others: [batch, n, width] -> [batch, 1 + n, width]. */
export function answerToken({ initializer = "glorotUniform", ...common }: { readonly initializer?: Initializer } & LayerName = {}): Layer {
  return {
    kind: "AnswerToken",
    ...named(common),
    config: {},
    apply({ emit, parameter }, x) {
      const width = Number(x.shape[2]); // tokens have it
      const token = parameter("token", [1, 1, width], { initializer });
      const one = emit.op("Slice", [x, emit.ints([0]), emit.ints([1]), emit.ints([1])]);
      const copies = emit.op("Expand", [token, emit.op("Shape", [one])]); // [batch, 1, width]
      return emit.op("Concat", [copies, x], { axis: 1 });
    },
  };
}

/** The first of the tokens: [batch, n, width] -> [batch, width]. */
export function firstToken(common: LayerName = {}): Layer {
  return {
    kind: "FirstToken",
    ...named(common),
    config: {},
    apply({ emit }, x) {
      const one = emit.op("Slice", [x, emit.ints([0]), emit.ints([1]), emit.ints([1])]);
      return emit.op("Squeeze", [one, emit.ints([1])]);
    },
  };
}
