import type { Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";
import { dtypeCodes } from "../operators/cast.ts";

/** The mean over the places that count: [batch, time, width] -> [batch, width]. A row where none counts gives zeros. */
export function maskedMean(common: LayerName = {}): Layer {
  return {
    kind: "MaskedMean",
    ...named(common),
    config: {},
    apply({ emit, maskOf, fail }, x) {
      if (x.shape.length !== 3) return fail("takes [batch, time, width]");
      const mask = maskOf(x);
      if (mask === undefined) return emit.op("ReduceMean", [x, emit.ints([1])], { keepdims: 0 });
      const weights = emit.op("Unsqueeze", [emit.op("Cast", [mask], { to: dtypeCodes[x.dtype] }), emit.ints([2])]); // [batch, time, 1]
      const sum = emit.op("ReduceSum", [emit.op("Mul", [x, weights]), emit.ints([1])], { keepdims: 0 }); // [batch, width]
      const count = emit.op("ReduceSum", [weights, emit.ints([1])], { keepdims: 0 }); // [batch, 1]
      return emit.op("Div", [sum, emit.op("Max", [count, emit.scalar(1, x.dtype)])]);
    },
  };
}
