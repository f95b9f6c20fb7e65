import { EspalierError } from "../errors.ts";
import { activate, type ActivationName } from "../layers/activation.ts";
import { dense, dropout, layerNormalization, multiHeadAttention, type Layer } from "../layers/index.ts";
import type { LayerContext, LayerName } from "../layers/layer.ts";
import { named } from "../layers/layer.ts";
import type { Value } from "../operators/operator.ts";

/** What a block of attention and a two-layer network is made of. */
export interface TransformerBlockOptions extends LayerName {
  readonly heads: number;
  /** Units of the layer between; default four times the width. */
  readonly hidden?: number;
  readonly activation?: ActivationName;
  /** After attention and after the second dense layer. Default 0. */
  readonly dropoutRate?: number;
  /** Normalises before attention and network (steadier in deep stacks) or after their sums (the original). Default "before". */
  readonly normalize?: "before" | "after";
  /** Whether a place sees only those before it. Default false. */
  readonly causal?: boolean;
  /** Whether the layer between has twice the units, of which one half is multiplied with the activation of the other (with relu: ReGLU). Default false. */
  readonly gated?: boolean;
  /** Whether attention's input (or sum) is normalised; a first block may do without. Default true. */
  readonly attentionNorm?: boolean;
  readonly epsilon?: number;
}

/**
 * One block of a transformer: [batch, time, width] -> the same shape. Places that the mask rules out are not attended to.
 *
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE when the width does not divide by the heads
 * @see A. Vaswani et al., Attention is all you need (2017), https://arxiv.org/abs/1706.03762
 */
export function transformerBlock({
  heads,
  hidden,
  activation = "gelu",
  dropoutRate = 0,
  normalize = "before",
  causal = false,
  gated = false,
  attentionNorm = true,
  epsilon = 1e-5,
  ...common
}: TransformerBlockOptions): Layer {
  if (!Number.isSafeInteger(heads) || heads < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `transformerBlock: heads must be a whole number from 1, not ${heads}`, { heads });
  }
  // Made once a width, so that a block that is applied twice shares its weights.
  const sized = new Map<number, { readonly attention: Layer; readonly network: readonly Layer[] }>();
  const norms = ["attention_norm", "network_norm"].map((name) =>
    name === "attention_norm" && !attentionNorm ? undefined : layerNormalization({ epsilon, name }),
  );
  const drops = ["attention_dropout", "network_dropout"].map((name) => dropout({ rate: dropoutRate, name }));
  return {
    kind: "TransformerBlock",
    ...named(common),
    passesMask: true,
    config: { heads, hidden, activation, dropoutRate, normalize, causal, gated, attentionNorm, epsilon },
    apply(context, x) {
      const width = Number(x.shape[2]);
      if (x.shape.length !== 3 || width % heads !== 0) return context.fail(`takes [batch, time, width] with a width that divides by ${heads} heads`);
      const { attention, network } = sized.get(width) ?? {
        attention: multiHeadAttention({ numHeads: heads, keyDim: width / heads, useCausalMask: causal, name: "attention" }),
        network: [...expansion(hidden ?? 4 * width, { activation, gated }), dense({ units: width, name: "contract" })],
      };
      sized.set(width, { attention, network });
      const attended = residual(context, x, { norm: norms[0], drop: dropoutRate > 0 ? drops[0] : undefined, normalize }, (value) =>
        context.apply(attention, value),
      );
      return residual(context, attended, { norm: norms[1], drop: dropoutRate > 0 ? drops[1] : undefined, normalize }, (value) =>
        network.reduce((y, layer) => context.apply(layer, y), value),
      );
    },
  };
}

interface Expansion {
  readonly activation: ActivationName;
  readonly gated: boolean;
}

function expansion(units: number, { activation, gated }: Expansion): readonly Layer[] {
  if (!gated) return [dense({ units, activation, name: "expand" })];
  return [dense({ units: 2 * units, name: "expand" }), gate({ activation, name: "gate" })];
}

/**
 * The first half times the activation of the second: [..., 2 n] -> [..., n].
 *
 * @see N. Shazeer, GLU variants improve transformer (2020), https://arxiv.org/abs/2002.05202
 */
function gate({ activation, ...common }: { readonly activation: ActivationName } & LayerName): Layer {
  return {
    kind: "Gate",
    ...named(common),
    config: { activation },
    apply({ emit }, x) {
      const [value, opening] = emit.ops("Split", [x], 2, { axis: -1, num_outputs: 2 });
      return emit.op("Mul", [value!, activate(emit, activation, opening!)]); // Split gives two
    },
  };
}

interface Residual {
  readonly norm: Layer | undefined;
  readonly drop: Layer | undefined;
  readonly normalize: "before" | "after";
}

/** x + branch(norm(x)), or norm(x + branch(x)). */
function residual({ emit, apply, maskOf, setMask }: LayerContext, x: Value, { norm, drop, normalize }: Residual, branch: (x: Value) => Value): Value {
  const mask = maskOf(x);
  const normal = (value: Value): Value => {
    const result = norm === undefined ? value : apply(norm, value);
    if (mask !== undefined) setMask(result, mask);
    return result;
  };
  const changed = branch(normalize === "before" ? normal(x) : x);
  const sum = emit.op("Add", [x, drop === undefined ? changed : apply(drop, changed)]);
  if (normalize === "after") return normal(sum);
  if (mask !== undefined) setMask(sum, mask);
  return sum;
}
