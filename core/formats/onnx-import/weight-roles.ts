import { EspalierError } from "../../errors.ts";
import type { StateValue } from "../../graph/graph.ts";
import { isFloat } from "../../operators/shapes.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import type { OnnxModel } from "../onnx-model.ts";
import { stateMetadataKey } from "../onnx.ts";
import { allNodes } from "./names.ts";

/** What a tensor of the file becomes: state of a role, or a constant of the graph. */
export type WeightRole = StateValue["role"] | "constant";

/** Float inputs that shape rules or kernels read while a graph is built, by operator. A map: a file may call an operator "constructor". */
const readWhileBuilding: ReadonlyMap<string, readonly number[]> = new Map([
  ["Resize", [1, 2, 3]],
  ["Upsample", [1]],
  ["Clip", [1, 2]],
  ["Pad", [2]],
  ["Dropout", [1, 2]],
  ["OneHot", [2]],
]);

/** Decides what each of a model's tensors becomes, from what reads it. */
export class WeightRoles {
  readonly #written: Readonly<Record<string, unknown>> | undefined;
  readonly #statistics = new Set<string>();
  readonly #settings = new Set<string>();
  readonly #others = new Set<string>();

  /** @throws DATA_MALFORMED when the file's own record of its state is damaged */
  constructor(model: OnnxModel) {
    this.#written = Object.hasOwn(model.metadata, stateMetadataKey) ? parseRoles(model.metadata[stateMetadataKey] ?? "") : undefined;
    for (const node of allNodes(model)) {
      for (const [i, input] of node.inputs.entries()) {
        if (isStatistic(node.operator, i)) this.#statistics.add(input);
        else this.#others.add(input);
        if (readWhileBuilding.get(node.operator)?.includes(i)) this.#settings.add(input);
      }
    }
  }

  /** Whether the file says itself what its tensors are. */
  get areKnown(): boolean {
    return this.#written !== undefined;
  }

  /** Whether a tensor is a running statistic in one place and something else in another. */
  isShared(name: string): boolean {
    return this.#written === undefined && this.#statistics.has(name) && this.#others.has(name);
  }

  /**
   * @param from "initializer", where exporters write weights, or "node" for a Constant node, where they write numbers of the formula; some
   *   exporters write their weights there too, so what is more than one number counts as a weight
   */
  of(name: string, value: Tensor, from: "initializer" | "node"): WeightRole {
    if (this.#written !== undefined) {
      const role = Object.hasOwn(this.#written, name) ? this.#written[name] : "constant";
      return role === "parameter" || role === "statistic" || role === "slot" ? role : "constant";
    }
    if (!isFloat(value.dtype) || this.#settings.has(name)) return "constant";
    if (this.#statistics.has(name) && !this.isShared(name)) return "statistic";
    const isWeight = from === "initializer" ? value.shape.length > 0 : elementCount(value.shape) > 1;
    return isWeight && isFinite(value) ? "parameter" : "constant";
  }
}

/** Whether an input is a running statistic. */
export function isStatistic(operator: string, index: number): boolean {
  return operator === "BatchNormalization" && index >= 3;
}

/** Masks hold -Infinity: nothing to train. */
function isFinite({ data }: Tensor): boolean {
  for (const element of data) if (!Number.isFinite(element)) return false;
  return true;
}

function parseRoles(text: string): Readonly<Record<string, unknown>> {
  try {
    const roles: unknown = JSON.parse(text);
    if (typeof roles === "object" && roles !== null && !Array.isArray(roles)) return roles as Readonly<Record<string, unknown>>; // an object
  } catch (cause) {
    throw new EspalierError("DATA_MALFORMED", `not an ONNX model of Espalier's: its "${stateMetadataKey}" is not JSON`, {}, { cause });
  }
  throw new EspalierError("DATA_MALFORMED", `not an ONNX model of Espalier's: its "${stateMetadataKey}" is not an object`);
}
