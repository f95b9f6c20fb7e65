import { EspalierError } from "../../errors.ts";
import { formatShape, type Dimension } from "../../graph/graph.ts";
import type { Value } from "../../operators/operator.ts";
import type { Tensor } from "../../tensor.ts";

/** An output's sizes when it is [batch, units]. @throws GRAPH_SHAPE */
export function rankTwo(output: Value, loss: string): readonly [batch: Dimension, units: number] {
  const [batch, units] = output.shape;
  if (output.shape.length === 2 && batch !== undefined && typeof units === "number") return [batch, units];
  throw new EspalierError(
    "GRAPH_SHAPE",
    `${loss}: the model's output must be [batch, units], not ${formatShape(output.shape)}; end it in a dense layer`,
    {
      shape: output.shape,
    },
  );
}

/** Labels are classes from 0 to `units - 1`. @throws TARGET_INVALID */
export function checkClasses(labels: Tensor, units: number, place: string): void {
  const values = labels.data as Int32Array; // the feed's dtype is checked by the run; another typed array compares alike
  for (let row = 0; row < values.length; row++) {
    const label = values[row] as number; // row is below the length
    if (label >= 0 && label < units) continue;
    throw new EspalierError(
      "TARGET_INVALID",
      label < 0
        ? `fit: row ${row} of ${place} has label ${label}; labels are from 0 to ${units - 1}; encode the target's classes first`
        : `fit: row ${row} of ${place} has label ${label}, so there are at least ${label + 1} classes, but the model ends in ${units} units; set units to ${label + 1} or check the target column`,
      { row, label, units },
    );
  }
}

/** Labels are finite numbers. @throws TARGET_INVALID */
export function checkFinite(labels: Tensor, _units: number, place: string): void {
  const values = labels.data as Float32Array; // as above
  for (let row = 0; row < values.length; row++) {
    if (Number.isFinite(values[row])) continue;
    throw new EspalierError("TARGET_INVALID", `fit: row ${row} of ${place} has label ${values[row]}; drop rows without a finite target`, {
      row,
      label: values[row],
    });
  }
}
