import { dtypeCodes, type DType } from "../../../core/index.ts";
import { substituteType } from "../kernel-gaps.ts";
import { int, text, type OnnxEmitter } from "../onnx-emitter.ts";

/** How updates meet what is there. */
export interface ScatterOptions {
  readonly dtype: DType;
  /** "add", "mul", "max" or "min". */
  readonly reduction: string;
}

/** ScatterElements along axis 0; of a type that it has no kernel for, in a wider one. @param inputs target, indices and updates */
export function scatterElements(
  emit: OnnxEmitter,
  [target, indices, updates]: readonly [target: string, indices: string, updates: string],
  { dtype, reduction }: ScatterOptions,
): string {
  const attributes = { axis: int(0), reduction: text(reduction) };
  const wide = substituteType("ScatterElements", dtype);
  if (wide === undefined) return emit.emit("ScatterElements", [target, indices, updates], attributes);
  const as = (value: string, to: DType): string => emit.emit("Cast", [value], { to: int(dtypeCodes[to]) });
  return as(emit.emit("ScatterElements", [as(target, wide), indices, as(updates, wide)], attributes), dtype);
}
