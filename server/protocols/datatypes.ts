import { refuse, refuseFound } from "../json-fields.ts";

/** A datatype of the Open Inference Protocol. */
export interface Datatype {
  readonly name: string;
  readonly kind: "boolean" | "integer" | "float" | "bytes";
  /** Bytes of one element in the binary form; 0 for BYTES, whose elements carry their own lengths. */
  readonly bytes: number;
  /** The smallest and largest integer; JSON numbers are exact up to 2^53. */
  readonly range?: readonly [minimum: number, maximum: number];
}

/** @param place for the message: `inputs[2].datatype` @throws REQUEST_INVALID for an unknown one */
export function findDatatype(name: unknown, place: string): Datatype {
  const found = datatypes.find((datatype) => datatype.name === name);
  if (found !== undefined) return found;
  throw refuse(place, `must be one of ${datatypes.map((datatype) => datatype.name).join(", ")}`, name);
}

/** Checks one JSON element; null passes, for what may be missing. @throws REQUEST_INVALID naming the place */
export function checkElement({ name, kind, range }: Datatype, element: unknown, place: string): unknown {
  if (element === null) return element;
  switch (kind) {
    case "boolean":
      if (typeof element === "boolean") return Number(element);
      if (element === 0 || element === 1) return element;
      break;
    case "integer":
      if (Number.isInteger(element) && range !== undefined && Number(element) >= range[0] && Number(element) <= range[1]) return element;
      break;
    case "float":
      if (typeof element === "number") return element;
      break;
    case "bytes":
      if (typeof element === "string") return element;
      break;
    default:
      return kind satisfies never;
  }
  throw refuse(place, `must be ${name === "BYTES" ? "a string" : `of type ${name}`}`, element);
}

/**
 * Lays nested or flat JSON data out row-major.
 *
 * @param shape as the request says; decides the length of every list when the data is nested
 * @throws REQUEST_INVALID naming the place and both lengths
 */
export function flattenData(data: readonly unknown[], shape: readonly number[], place: string): readonly unknown[] {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!Array.isArray(data[0])) {
    if (data.length === count) return data;
    throw refuseFound(place, `must hold ${count} elements for shape [${shape.join(", ")}]`, `${data.length} elements`);
  }
  const flat: unknown[] = [];
  const walk = (list: unknown, depth: number, at: string): void => {
    const size = shape[depth];
    if (size === undefined) flat.push(list);
    else if (!Array.isArray(list) || list.length !== size) throw refuse(at, `must be a list of ${size} for shape [${shape.join(", ")}]`, list);
    else for (const [i, item] of list.entries()) walk(item, depth + 1, `${at}[${i}]`);
  };
  walk(data, 0, place);
  return flat;
}

/** @see https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#tensor-data-types */
export const datatypes: readonly Datatype[] = [
  { name: "BOOL", kind: "boolean", bytes: 1 },
  { name: "UINT8", kind: "integer", bytes: 1, range: [0, 2 ** 8 - 1] },
  { name: "UINT16", kind: "integer", bytes: 2, range: [0, 2 ** 16 - 1] },
  { name: "UINT32", kind: "integer", bytes: 4, range: [0, 2 ** 32 - 1] },
  { name: "UINT64", kind: "integer", bytes: 8, range: [0, 2 ** 64] },
  { name: "INT8", kind: "integer", bytes: 1, range: [-(2 ** 7), 2 ** 7 - 1] },
  { name: "INT16", kind: "integer", bytes: 2, range: [-(2 ** 15), 2 ** 15 - 1] },
  { name: "INT32", kind: "integer", bytes: 4, range: [-(2 ** 31), 2 ** 31 - 1] },
  { name: "INT64", kind: "integer", bytes: 8, range: [-(2 ** 63), 2 ** 63] },
  { name: "FP16", kind: "float", bytes: 2 },
  { name: "FP32", kind: "float", bytes: 4 },
  { name: "FP64", kind: "float", bytes: 8 },
  { name: "BYTES", kind: "bytes", bytes: 0 },
];
