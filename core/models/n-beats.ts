import { EspalierError } from "../errors.ts";
import { dense, Network, type Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";
import type { Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";
import { headUnits } from "./head.ts";
import type { Model } from "./model.ts";
import { checkForecaster, type ForecasterOptions } from "./forecaster.ts";

/** What an N-BEATS network is made of. */
export interface NBeatsOptions extends Omit<ForecasterOptions, "features"> {
  /** Numbers of one time step; the first is the series that is foretold and the others are not used. Default 1. */
  readonly features?: number;
  /** What each stack's blocks are made of: learned vectors, polynomials of time, or waves. Default two generic stacks. */
  readonly stacks?: readonly ("generic" | "trend" | "seasonality")[];
  /** Blocks of a stack. Default 3. */
  readonly blocks?: number;
  /** Units of a block's four dense layers. Default 128. */
  readonly hidden?: number;
}

/** Polynomials up to this degree make a trend, as in the paper. */
const trendDegree = 3;

/**
 * N-BEATS: blocks that each explain a part of the window, take it off, and add their part to the forecast: `window` [batch, window, features] -> `prediction` [batch, horizon].
 *
 * @throws ARGUMENT_INVALID
 * @see B. N. Oreshkin et al., N-BEATS: neural basis expansion analysis for interpretable time series forecasting (2020), https://arxiv.org/abs/1905.10437
 */
export function nBeats({
  input = "window",
  window,
  features = 1,
  horizon,
  stacks = ["generic", "generic"],
  blocks = 3,
  hidden = 128,
  seed = 0,
}: NBeatsOptions): Model {
  checkForecaster("nBeats", { window, features, horizon });
  if (stacks.length === 0 || !Number.isSafeInteger(blocks) || blocks < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `nBeats: needs at least one stack of at least one block, not ${stacks.length} of ${blocks}`, {
      stacks,
      blocks,
    });
  }
  const { output } = headUnits({ task: "regression", units: horizon });
  const network = new Network("n-beats", { seed });
  let rest = network.apply(series({ name: "series" }), network.input(input, [window, features]));
  let forecast: Value | undefined;
  for (const [stack, basis] of stacks.entries()) {
    for (let block = 0; block < blocks; block += 1) {
      const [backcast, part] = network.apply(beatsBlock({ basis, window, horizon, hidden, name: `stack${stack + 1}_block${block + 1}` }), rest);
      rest = network.apply(sum("Subtract", { name: `stack${stack + 1}_block${block + 1}_rest` }), rest, backcast!); // a block gives two
      forecast = forecast === undefined ? part! : network.apply(sum("Add", { name: `stack${stack + 1}_block${block + 1}_sum` }), forecast, part!);
    }
  }
  network.output(output, forecast!); // there is one block at least
  return network.build({ name: "n-beats", window, features, horizon, stacks, blocks, hidden, seed });
}

interface BlockOptions extends LayerName {
  readonly basis: "generic" | "trend" | "seasonality";
  readonly window: number;
  readonly horizon: number;
  readonly hidden: number;
}

/** [batch, window] -> what of it the block explains [batch, window], and its part of the forecast [batch, horizon]. */
function beatsBlock({ basis, window, horizon, hidden, ...common }: BlockOptions): Layer<readonly Value[]> {
  const layers = [1, 2, 3, 4].map((i) => dense({ units: hidden, activation: "relu", kernelInitializer: "heNormal", name: `dense${i}` }));
  const size = basis === "trend" ? trendDegree + 1 : waves(horizon).length;
  const heads =
    basis === "generic"
      ? [dense({ units: window, name: "backcast" }), dense({ units: horizon, name: "forecast" })]
      : [dense({ units: size, useBias: false, name: "backcast" }), dense({ units: size, useBias: false, name: "forecast" })];
  return {
    kind: "NBeatsBlock",
    ...named(common),
    config: { basis, window, horizon, hidden },
    apply({ emit, apply }, x) {
      const inner = layers.reduce((value, layer) => apply(layer, value), x);
      const [back, ahead] = heads.map((head) => apply(head, inner));
      if (basis === "generic") return [back!, ahead!]; // there are two heads
      const table = (times: readonly number[]): Value => {
        const rows = basis === "trend" ? powers(times) : waves(horizon).map((wave) => times.map(wave));
        return emit.constant(tensor("float32", [size, times.length], rows.flat()));
      };
      const before = Array.from({ length: window }, (_, i) => (i - window) / horizon);
      const after = Array.from({ length: horizon }, (_, i) => i / horizon);
      return [emit.op("MatMul", [back!, table(before)]), emit.op("MatMul", [ahead!, table(after)])]; // as above
    },
  };
}

function powers(times: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: trendDegree + 1 }, (_, degree) => times.map((t) => t ** degree));
}

/** A constant and cosines and sines of up to half as many periods as there are steps ahead. */
function waves(horizon: number): readonly ((t: number) => number)[] {
  const periods = Array.from({ length: Math.max(1, Math.floor(horizon / 2)) }, (_, i) => 2 * Math.PI * (i + 1));
  return [() => 1, ...periods.flatMap((period) => [(t: number): number => Math.cos(period * t), (t: number): number => Math.sin(period * t)])];
}

/** The first number of each time step: [batch, window, features] -> [batch, window]. */
function series(common: LayerName): Layer {
  return {
    kind: "Series",
    ...named(common),
    config: {},
    apply({ emit }, x) {
      const first = x.shape[2] === 1 ? x : emit.op("Slice", [x, emit.ints([0]), emit.ints([1]), emit.ints([2])]);
      return emit.op("Squeeze", [first, emit.ints([2])]);
    },
  };
}

function sum(kind: "Add" | "Subtract", common: LayerName): Layer {
  return {
    kind,
    ...named(common),
    config: {},
    merges: true,
    apply: ({ emit, fail }, a, b) => (b === undefined ? fail("takes two inputs") : emit.op(kind === "Add" ? "Add" : "Sub", [a, b])),
  };
}
