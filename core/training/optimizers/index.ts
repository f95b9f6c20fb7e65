export { adam, type AdamOptions } from "./adam.ts";
export { type Optimizer, type OptimizerContext } from "./optimizer.ts";
export { sgd, type SgdOptions } from "./sgd.ts";
