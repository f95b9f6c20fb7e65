import { elementCount, EspalierError, formatShape, type Column, type Columns, type InputField, type Manifest } from "../../core/index.ts";
import { acceptedShapes, columnFromCells, completeColumns, tensorElement } from "../input-columns.ts";
import { getField, readList, readObject, readOptionalString, readShape, readString, refuse } from "../json-fields.ts";
import { decodeTensor } from "./binary-tensors.ts";
import { checkElement, findDatatype, flattenData, type Datatype } from "./datatypes.ts";

/** An output that a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  readonly binary: boolean;
}

/** An inference request, checked against the model. */
export interface InferenceRequest {
  readonly id: string | undefined;
  readonly rows: Columns;
  /** Undefined: all of them, in the form that `binary` says. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  readonly binary: boolean;
}

/**
 * Reads a V2 inference request.
 *
 * @param raw the binary tensors after the JSON, in the inputs' order; empty without the binary extension
 * @param outputNames what the model can answer
 * @throws REQUEST_INVALID, COLUMN_MISSING, COLUMN_TYPE; each names the field
 */
export function readInferenceRequest(
  json: unknown,
  manifest: Manifest,
  { raw, outputNames }: { raw: Uint8Array; outputNames: readonly string[] },
): InferenceRequest {
  const request = readObject(json, "the body");
  const id = readOptionalString(getField(request, "id"), "id");
  const binary = readFlag(readParameters(request, "parameters"), "binary_data_output", "parameters.binary_data_output");
  const inputs = readInputs(readList(getField(request, "inputs"), "inputs"), raw);
  const columns = new Map<string, Column>();
  const [first] = inputs;
  for (const input of inputs) {
    const field = manifest.inputs.find(({ name }) => name === input.name);
    if (input.rows !== first?.rows) {
      const message = `inputs "${first?.name}" and "${input.name}" must have the same number of rows, not ${first?.rows} and ${input.rows}`;
      throw new EspalierError("REQUEST_INVALID", message, { place: `${input.place}.shape` });
    }
    if (field !== undefined) columns.set(field.name, columnOf(field, input));
  }
  const rows = completeColumns(manifest, columns, { length: first?.rows ?? 0, names: () => inputs.map(({ name }) => name) });
  return { id, rows, outputs: readOutputs(getField(request, "outputs"), outputNames, binary), binary };
}

/** One input tensor whose envelope was checked. */
interface InputTensor {
  readonly name: string;
  readonly place: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly rows: number;
  /** Row-major; elements agree with the datatype, or are null. */
  readonly elements: readonly unknown[];
}

function readInputs(list: readonly unknown[], raw: Uint8Array): InputTensor[] {
  const names = new Set<string>();
  let offset = 0;
  const inputs = list.map((item, i) => {
    const place = `inputs[${i}]`;
    const input = readObject(item, place);
    const name = readString(getField(input, "name"), `${place}.name`);
    if (names.has(name)) throw new EspalierError("REQUEST_INVALID", `${place}.name: input "${name}" is there twice; send each input once`, { place });
    names.add(name);
    const datatype = findDatatype(getField(input, "datatype"), `${place}.datatype`);
    const shape = readShape(getField(input, "shape"), `${place}.shape`);
    const [rows] = shape;
    if (rows === undefined) throw refuse(`${place}.shape`, `of input "${name}" must begin with the number of rows`, shape);
    const size = readParameters(input, `${place}.parameters`)["binary_data_size"];
    if (size === undefined)
      return { name, place, datatype, shape, rows, elements: readElements(getField(input, "data"), { datatype, shape, place, name }) };
    if (!Number.isSafeInteger(size) || Number(size) < 0 || offset + Number(size) > raw.length) {
      throw refuse(`${place}.parameters.binary_data_size`, `must be from 0 to the ${raw.length - offset} bytes that are left after the JSON`, size);
    }
    const bytes = raw.subarray(offset, offset + Number(size));
    offset += bytes.length;
    const elements = decodeTensor(bytes, datatype, { count: elementCount(shape), place: `${place} ("${name}")` });
    // NaN is how a binary tensor says that a value is missing.
    return { name, place, datatype, shape, rows, elements: elements.map((element) => (Number.isNaN(element) ? null : element)) };
  });
  if (offset < raw.length) throw new EspalierError("REQUEST_INVALID", `the body has ${raw.length - offset} bytes after its last binary tensor`, {});
  return inputs;
}

function readElements(data: unknown, at: { datatype: Datatype; shape: readonly number[]; place: string; name: string }): readonly unknown[] {
  const { datatype, shape, place, name } = at;
  const flat = flattenData(readList(data, `${place}.data of input "${name}"`), shape, `${place}.data of input "${name}"`);
  return flat.map((element, i) => checkElement(datatype, element, `${place}.data: element ${i} of input "${name}"`));
}

function columnOf(field: InputField, { place, datatype, shape, rows, elements }: InputTensor): Column {
  if ((datatype.kind === "bytes") !== (field.kind === "string")) {
    const wanted = field.kind === "string" ? "BYTES" : "a numeric datatype such as FP32";
    throw new EspalierError("COLUMN_TYPE", `${place}.datatype: column "${field.name}" takes ${wanted}, not ${datatype.name}`, { column: field.name });
  }
  const rowShapes = field.kind === "tensor" ? acceptedShapes(field) : [[], [1]];
  if (!rowShapes.some((rowShape) => formatShape(rowShape) === formatShape(shape.slice(1)))) {
    const wanted = rowShapes.map((rowShape) => formatShape([rows, ...rowShape])).join(" or ");
    throw refuse(`${place}.shape`, `of column "${field.name}" must be ${wanted} for ${rows} rows`, shape);
  }
  const elementPlace = (i: number): string => `${place}.data: element ${i}`;
  if (field.kind !== "tensor") return columnFromCells(field, elements, elementPlace);
  return { kind: "tensor", shape: field.shape, values: Float32Array.from(elements, (element, i) => tensorElement(field, element, elementPlace(i))) };
}

function readOutputs(value: unknown, known: readonly string[], binary: boolean): readonly RequestedOutput[] | undefined {
  if (value === undefined) return undefined;
  const outputs = readList(value, "outputs").map((item, i) => {
    const place = `outputs[${i}]`;
    const output = readObject(item, place);
    const name = readString(getField(output, "name"), `${place}.name`);
    if (!known.includes(name)) throw refuse(`${place}.name`, `must be one of ${known.join(", ")}`, name);
    const parameters = readParameters(output, `${place}.parameters`);
    return {
      name,
      binary: Object.hasOwn(parameters, "binary_data") ? readFlag(parameters, "binary_data", `${place}.parameters.binary_data`) : binary,
    };
  });
  const twice = outputs.find(({ name }, i) => outputs.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined)
    throw new EspalierError("REQUEST_INVALID", `outputs: "${twice.name}" is there twice; ask for each output once`, { place: "outputs" });
  return outputs.length === 0 ? undefined : outputs;
}

function readParameters(object: Readonly<Record<string, unknown>>, place: string): Readonly<Record<string, unknown>> {
  const parameters = getField(object, "parameters");
  return parameters === undefined ? {} : readObject(parameters, place);
}

function readFlag(parameters: Readonly<Record<string, unknown>>, name: string, place: string): boolean {
  const value = getField(parameters, name);
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  throw refuse(place, "must be true or false", value);
}
