import type { Column, Columns } from "../columns.ts";
import { valueAt } from "../data/rows.ts";
import { EspalierError } from "../errors.ts";
import { maxFloat32 } from "../float32.ts";
import type { Tensor } from "../tensor.ts";
import { numberStatistics, standardDeviation } from "./number-statistics.ts";
import { categoryStatistics } from "./statistics.ts";
import type { FittedTarget } from "./features.ts";
import { compareCodeUnits } from "./fit.ts";
import { truthColumn } from "./truth-column.ts";
import { requireColumn } from "./transform.ts";

/** Whole numbers with at most so many different values are classes, when each occurs often enough (`rowsPerClass`). */
export const maxNumericClasses = 20;

/** Fewer rows a class on average than this, and whole numbers are a quantity. */
export const rowsPerClass = 5;

/** What a model may be asked for. */
export type Task = FittedTarget["task"];

/** More classes than this are an identifier or free text. */
const maxClasses = 1000;

/**
 * Finds the task of a target column and learns its labels.
 *
 * Text is classes. Numbers are classes when all are whole, at most 20 values differ and each occurs 5 times on average (or only two differ); otherwise
 * they are a quantity, and the task is regression. Classes are ordered by code units, numeric ones by number. Missing values do not count: drop those rows
 * before training (`rowsWithTarget`).
 *
 * @param options.task overrules the inference
 * @throws COLUMN_MISSING with the nearest names; TARGET_INVALID for a target that is constant, all missing, unlike its task, or of too many classes
 */
export function fitTarget(columns: Columns, name: string, { task }: { readonly task?: Task } = {}): FittedTarget {
  const column = requireColumn(columns, name);
  if (column.kind === "tensor") throw invalid(name, "holds tensors; a target is one number or text a row");
  const { counts } = categoryStatistics(column);
  const rows = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (rows === 0) throw invalid(name, `has no value in any of ${columns.length} rows; choose another target`);
  if (counts.size === 1) {
    throw invalid(
      name,
      `has the same value ${JSON.stringify([...counts.keys()][0])} in all ${rows} rows; there is nothing to learn, choose another target`,
    );
  }
  const chosen = task ?? inferTask(column, counts.size, rows);
  return chosen === "classification" ? fitClasses(column, name, { counts, rows }) : fitQuantity(column, name);
}

/** The rows whose target is there, in order. */
export function rowsWithTarget(columns: Columns, name: string): Uint32Array {
  const column = requireColumn(columns, name);
  const kept: number[] = [];
  for (let row = 0; row < columns.length; row++) if (valueAt(column, row) !== undefined) kept.push(row);
  return Uint32Array.from(kept);
}

/**
 * A target column as the training graph's `labels`: int32 [rows] of class indices, or float32 [rows, 1] standardised; of a forecast [rows, horizon], from the column that `truthColumn` names.
 *
 * @throws COLUMN_MISSING; TARGET_INVALID naming row and value for a missing value, a class that training did not have, or text in a regression
 */
export function encodeTarget(target: FittedTarget, columns: Columns): Tensor {
  const rows = columns.length;
  if (target.task === "regression" && target.horizon !== undefined) {
    const { horizon } = target;
    const data = Float32Array.from(targetValues(target, columns), (value, i) => standardise(target, { value, row: Math.floor(i / horizon) }));
    return { dtype: "float32", shape: [rows, target.horizon], data };
  }
  const column = requireColumn(columns, target.column);
  if (target.task === "classification") {
    const places = new Map(target.classes.map((label, place) => [label, place]));
    const labels = new Int32Array(rows);
    for (let row = 0; row < rows; row++) {
      const value = presentValue(column, target.column, row);
      const place = places.get(classText(value));
      if (place === undefined) {
        throw new EspalierError(
          "TARGET_INVALID",
          `column "${target.column}", row ${row + 1}: class ${JSON.stringify(String(value))} is not one of the model's: ${target.classes.slice(0, 20).join(", ")}`,
          { column: target.column, row: row + 1, value },
        );
      }
      labels[row] = place;
    }
    return { dtype: "int32", shape: [rows], data: labels };
  }
  const values = new Float32Array(rows);
  for (let row = 0; row < rows; row++)
    values[row] = standardise(target, { value: quantity(presentValue(column, target.column, row), target.column, row), row });
  return { dtype: "float32", shape: [rows, 1], data: values };
}

/** @throws TARGET_INVALID for a value that float32 does not hold */
function standardise(
  { column, mean, standardDeviation }: Extract<FittedTarget, { task: "regression" }>,
  { value, row }: { readonly value: number; readonly row: number },
): number {
  const found = (value - mean) / standardDeviation;
  if (!(Math.abs(found) > maxFloat32)) return found;
  const message = `column "${column}", row ${row + 1}: ${value} is too far from the training rows' mean ${mean} to be learned; correct it, or leave the row out`;
  throw new EspalierError("TARGET_INVALID", message, { column, row: row + 1, value });
}

/** The true values of a regression target in its own unit; of a forecast `horizon` a row. @throws as `encodeTarget` */
export function targetValues(target: FittedTarget, columns: Columns): Float64Array {
  if (target.task === "regression" && target.horizon !== undefined)
    return nextValues(requireColumn(columns, truthColumn(target)), target.horizon, columns.length);
  const column = requireColumn(columns, target.column);
  return Float64Array.from({ length: columns.length }, (_, row) => quantity(presentValue(column, target.column, row), target.column, row));
}

/** A regression's standardised outputs in the target's own unit. */
export function decodeQuantities(target: Extract<FittedTarget, { task: "regression" }>, standardised: ArrayLike<number>): Float64Array {
  return Float64Array.from(standardised, (value) => value * target.standardDeviation + target.mean);
}

function nextValues(column: Column, horizon: number, rows: number): Float64Array {
  if (column.kind === "tensor" && column.values.length === rows * horizon) return Float64Array.from(column.values);
  const found = column.kind === "tensor" ? `tensors of shape [${column.shape.join(", ")}]` : `${column.kind}s`;
  throw new EspalierError("TARGET_INVALID", `a forecast is compared with the next ${horizon} values, not with ${found}`, { horizon });
}

function inferTask(column: Column, distinct: number, rows: number): Task {
  if (column.kind !== "number") return "classification";
  const whole = column.values.every((value) => Number.isNaN(value) || Number.isInteger(value));
  const few = distinct <= maxNumericClasses && (distinct === 2 || rows >= rowsPerClass * distinct);
  return whole && few ? "classification" : "regression";
}

function fitClasses(column: Column, name: string, seen: { readonly counts: ReadonlyMap<string, number>; readonly rows: number }): FittedTarget {
  const { counts, rows } = seen;
  if (counts.size > maxClasses || (counts.size > 20 && counts.size > rows / 2)) {
    throw invalid(
      name,
      `has ${counts.size} different values in ${rows} rows: that is an identifier or free text, not classes; choose another target`,
    );
  }
  const numeric = column.kind === "number";
  const order = numeric ? (a: string, b: string): number => Number(a) - Number(b) : compareCodeUnits;
  return { task: "classification", column: name, classes: [...counts.keys()].toSorted(order), numeric };
}

function fitQuantity(column: Column, name: string): FittedTarget {
  if (column.kind !== "number") throw invalid(name, "holds text; a regression needs numbers");
  const statistics = numberStatistics(column);
  if (!Number.isFinite(standardDeviation(statistics))) {
    throw invalid(
      name,
      `holds numbers from ${statistics.min} to ${statistics.max}, too far apart to be standardised; correct them, or drop their rows`,
    );
  }
  return { task: "regression", column: name, mean: statistics.mean, standardDeviation: standardDeviation(statistics) || 1 };
}

function presentValue(column: Column, name: string, row: number): number | string {
  const value = valueAt(column, row);
  if (typeof value === "number" || typeof value === "string") return value;
  throw new EspalierError("TARGET_INVALID", `column "${name}", row ${row + 1}: the target is missing; leave the row out`, {
    column: name,
    row: row + 1,
  });
}

/** Numbers and text of numbers name the same class: 1 and "1". */
function classText(value: number | string): string {
  return typeof value === "number" ? String(value) : value;
}

function quantity(value: number | string, name: string, row: number): number {
  const number = typeof value === "number" ? value : Number(value);
  if (Number.isFinite(number)) return number;
  throw new EspalierError("TARGET_INVALID", `column "${name}", row ${row + 1}: ${JSON.stringify(value)} is not a number`, {
    column: name,
    row: row + 1,
  });
}

function invalid(column: string, problem: string): EspalierError {
  return new EspalierError("TARGET_INVALID", `target column "${column}" ${problem}`, { column });
}
