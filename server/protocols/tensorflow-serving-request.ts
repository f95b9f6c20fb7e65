import { EspalierError, type Column, type Columns, type InputField, type Manifest } from "../../core/index.ts";
import { columnFromCells, completeColumns } from "../input-columns.ts";
import { getField, readList, readObject, refuse, refuseFound, type JsonObject } from "../json-fields.ts";

/** A prediction request, checked against the model. */
export interface PredictRequest {
  /** `row`: instances, answered by predictions. `column`: inputs, answered by outputs. */
  readonly form: "row" | "column";
  readonly rows: Columns;
}

/** The one signature that a model has. */
export const signatureName = "serving_default";

/** Reads a V1 prediction request. @throws REQUEST_INVALID, COLUMN_MISSING, COLUMN_TYPE; each names the field */
export function readPredictRequest(json: unknown, manifest: Manifest): PredictRequest {
  const request = readObject(json, "the body");
  const signature = getField(request, "signature_name");
  if (signature !== undefined && signature !== "" && signature !== signatureName)
    throw refuse("signature_name", `must be "${signatureName}"`, signature);
  const instances = getField(request, "instances");
  const inputs = getField(request, "inputs");
  if ((instances === undefined) === (inputs === undefined)) {
    throw refuseFound(
      "the body",
      'must have either "instances" (a list of rows) or "inputs" (columns)',
      instances === undefined ? "neither" : "both",
    );
  }
  if (inputs !== undefined) return { form: "column", rows: readColumns(inputs, manifest) };
  return { form: "row", rows: readRows(readList(instances, "instances"), manifest) };
}

function readRows(instances: readonly unknown[], manifest: Manifest): Columns {
  if (instances.length === 0) throw new EspalierError("REQUEST_INVALID", "instances has no rows; send at least one", { place: "instances" });
  const [only] = manifest.inputs.length === 1 ? manifest.inputs : [];
  const records = instances.map((instance, row) => {
    if (only !== undefined && !isRecord(instance)) return { [only.name]: instance };
    return readObject(instance, `instances[${row}]`);
  });
  const columns = new Map<string, Column>();
  for (const field of manifest.inputs) {
    const cells = records.map((record) => decodeText(field, getField(record, field.name), field.name));
    if (cells.some((cell) => cell !== undefined)) {
      columns.set(
        field.name,
        columnFromCells(field, cells, (row) => (records[row] === instances[row] ? `instances[${row}].${field.name}` : `instances[${row}]`)),
      );
    }
  }
  return completeColumns(manifest, columns, { length: records.length, names: () => new Set(records.flatMap((record) => Object.keys(record))) });
}

function readColumns(inputs: unknown, manifest: Manifest): Columns {
  const [only] = manifest.inputs.length === 1 ? manifest.inputs : [];
  const given: JsonObject = only !== undefined && Array.isArray(inputs) ? { [only.name]: inputs } : readObject(inputs, "inputs");
  const columns = new Map<string, Column>();
  let first: { readonly name: string; readonly rows: number } | undefined;
  for (const field of manifest.inputs) {
    const value = getField(given, field.name);
    if (value === undefined) continue;
    const place = Array.isArray(inputs) ? "inputs" : `inputs.${field.name}`;
    const cells = readList(value, `${place} (one value a row)`);
    first ??= { name: field.name, rows: cells.length };
    if (cells.length !== first.rows) {
      throw new EspalierError(
        "REQUEST_INVALID",
        `${place} has ${cells.length} rows, but "${first.name}" has ${first.rows}; send one value a row in every column`,
        {
          column: field.name,
        },
      );
    }
    columns.set(
      field.name,
      columnFromCells(
        field,
        cells.map((cell) => decodeText(field, cell, place)),
        (row) => `${place}[${row}]`,
      ),
    );
  }
  return completeColumns(manifest, columns, { length: first?.rows ?? 0, names: () => Object.keys(given) });
}

/** An object that names columns; `{"b64": ...}` is a value. */
function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isBase64(value);
}

function isBase64(value: object): value is { readonly b64: unknown } {
  return Object.keys(value).length === 1 && Object.hasOwn(value, "b64");
}

/** TensorFlow Serving's form for bytes, here for text: `{"b64": "..."}`. */
function decodeText(field: InputField, cell: unknown, place: string): unknown {
  if (field.kind !== "string" || typeof cell !== "object" || cell === null || Array.isArray(cell) || !isBase64(cell)) return cell;
  try {
    const bytes = Uint8Array.from(atob(String(cell.b64)), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EspalierError(
      "COLUMN_TYPE",
      `${place}: column "${field.name}" has a "b64" that is not base64 of UTF-8 text`,
      { column: field.name },
      { cause },
    );
  }
}
