import { operators } from "../../core/index.ts";
import { loweredOperators } from "./lowering/index.ts";

/** Standard operators that core writes in simpler ones: ONNX Runtime has no kernel for them outside its training build. */
const loweredByCore: ReadonlySet<string> = new Set(["SoftmaxCrossEntropyLoss"]);

/** Operators that go to ONNX Runtime as they are, or by a lowering of this backend's: every other standard one, and those of the table. */
export const supportedOperators: ReadonlySet<string> = new Set([
  ...operators.filter(({ name, domain }) => (domain === "" || domain === "ai.onnx.ml") && !loweredByCore.has(name)).map(({ name }) => name),
  ...loweredOperators,
]);
