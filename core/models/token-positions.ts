import { embedding, type InitializerContext, type Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";
import { elementCount } from "../tensor.ts";

/** What tokens with their places are made of. */
export interface TokenPositionsOptions extends LayerName {
  /** Token numbers are from 0 to below this. */
  readonly vocabulary: number;
  readonly width: number;
  /** Whether token 0 is padding that later layers leave out. Default true. */
  readonly padded?: boolean;
}

/** Token numbers int32 [batch, time] become the sum of a learned vector of the token and one of its place: [batch, time, width]. */
export function tokenPositions({ vocabulary, width, padded = true, ...common }: TokenPositionsOptions): Layer {
  const tokens = embedding({ inputDim: vocabulary, outputDim: width, maskZero: padded, embeddingsInitializer: small, name: "tokens" });
  return {
    kind: "TokenPositions",
    ...named(common),
    config: { vocabulary, width, padded },
    apply({ emit, apply, parameter, maskOf, setMask, fail }, x) {
      const [, time] = x.shape;
      if (x.shape.length !== 2 || typeof time !== "number") return fail("takes tokens [batch, time]");
      const embedded = apply(tokens, x);
      const sum = emit.op("Add", [embedded, parameter("positions", [time, width], { initializer: small })]);
      const mask = maskOf(embedded);
      if (mask !== undefined) setMask(sum, mask);
      return sum;
    },
  };
}

/** A normal distribution of standard deviation 0.02, as in BERT and GPT-2. */
function small({ shape, random }: InitializerContext): Float32Array {
  return random.normals(elementCount(shape), { standardDeviation: 0.02 });
}
