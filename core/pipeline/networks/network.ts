import type { FeedSource } from "../../data/feed-batches.ts";
import type { FittedFeatures } from "../../features/features.ts";
import type { Head, Model } from "../../models/index.ts";
import type { Recipe } from "../../training/index.ts";

/** What is learned from: it decides which networks there are. */
export type DataKind = "table" | "images" | "text" | "series";

/** What a network is sized by. */
export interface NetworkContext {
  readonly features: FittedFeatures;
  readonly head: Head;
  /** Training rows. */
  readonly rows: number;
  readonly seed: number;
}

/** Makes an untrained network for some data. */
export type Network = (context: NetworkContext) => Model;

/** The networks for one kind of data, and how they are trained when nobody says how. */
export interface NetworkFamily {
  readonly kind: DataKind;
  /** In words, for messages: "a table". */
  readonly what: string;
  /** By the names of `--model`. `linear` is the floor, `network` is what is trained beside it by default. */
  readonly networks: Readonly<Record<string, Network>> & { readonly linear: Network; readonly network: Network };
  readonly recipe: (name: string, context: NetworkContext) => Recipe;
  /** The training rows as a network (not the linear model) sees them: varied, where that helps. */
  readonly vary?: (feeds: FeedSource, context: NetworkContext) => FeedSource;
}
