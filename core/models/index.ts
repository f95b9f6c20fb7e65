export { convNet, type ConvNetOptions } from "./conv-net.ts";
export { freeze, isFrozen, matchName, unfreeze } from "./freeze.ts";
export { headUnits, type Head } from "./head.ts";
export { type LayerCall } from "./layer-call.ts";
export { linear, type LinearOptions } from "./linear.ts";
export { mlp, type MlpOptions } from "./mlp.ts";
export { type Model } from "./model.ts";
export { type ParameterTraining } from "./parameter-training.ts";
