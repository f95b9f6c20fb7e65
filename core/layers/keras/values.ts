import { suggestNames } from "../../nearest.ts";
import { isObject, objectAt, refuse, textAt, type JsonObject } from "./json.ts";
import type { AxisMap } from "./layouts.ts";
import { fromPascal, toCamel, toPascal, toSnake } from "./names.ts";

/** One argument as Keras writes it. @param axes of the weight that a constraint is of */
export function toKerasValue(name: string, value: unknown, { where, axes }: { readonly where: string; readonly axes: AxisMap }): unknown {
  if (value === undefined) return null;
  if (name.endsWith("Initializer")) return initializerToKeras(value, `${where}: ${name}`);
  if (name.endsWith("Regularizer")) return objectToKeras(value, "keras.regularizers", regularizerClasses);
  if (name.endsWith("Constraint")) return objectToKeras(withAxes(value, axes.toKeras), "keras.constraints", constraintClasses);
  if (isActivation(name)) return toSnake(textAt(value, `${where}: ${name}`));
  return value;
}

/** One argument as the layers here take it. @throws ARGUMENT_INVALID for what is not there */
export function fromKerasValue(name: string, value: unknown, { where, axes }: { readonly where: string; readonly axes: AxisMap }): unknown {
  const place = `${where}: ${toSnake(name)}`;
  if (name.endsWith("Initializer")) return initializerFromKeras(value, place);
  if (name.endsWith("Regularizer")) return objectFromKeras(value, regularizerClasses, place);
  if (name.endsWith("Constraint")) return withAxes(objectFromKeras(value, constraintClasses, place), axes.fromKeras);
  if (isActivation(name)) return toCamel(activationName(value, place));
  return value;
}

function isActivation(name: string): boolean {
  return name === "activation" || name.endsWith("Activation");
}

function activationName(value: unknown, where: string): string {
  if (isObject(value) && value["class_name"] === "function") return textAt(value["config"], where);
  if (isObject(value)) return refuse(`${where} is a ${String(value["class_name"])}, but only activations by name are known; put a layer after it`);
  return textAt(value, where);
}

/** Kinds here and classes there, where one is not the other in another case. */
const regularizerClasses: Readonly<Record<string, string>> = { l1: "L1", l2: "L2", l1l2: "L1L2", orthogonal: "OrthogonalRegularizer" };
const constraintClasses: Readonly<Record<string, string>> = {
  maxNorm: "MaxNorm",
  nonNegative: "NonNeg",
  unitNorm: "UnitNorm",
  minMaxNorm: "MinMaxNorm",
};

function keras(module: string, className: string, config: JsonObject): JsonObject {
  return { module, class_name: className, config, registered_name: null };
}

function objectToKeras(value: unknown, module: string, classes: Readonly<Record<string, string>>): JsonObject {
  const { kind, ...config } = objectAt(value, module);
  return keras(module, classes[String(kind)] ?? String(kind), snakeKeys(config));
}

function objectFromKeras(value: unknown, classes: Readonly<Record<string, string>>, where: string): JsonObject {
  const { className, config } = classOf(value, where);
  // Older files write "l2" or "L2" alone.
  const kind = Object.keys(classes).find((key) => key === toCamel(className) || classes[key] === className);
  if (kind === undefined) return refuse(`${where}: no "${className}"${suggestNames(className, Object.values(classes))}`, { class: className });
  return { kind, ...defaults[kind], ...camelKeys(config) };
}

/** What arguments that are left out are in Keras. */
const defaults: Readonly<Record<string, JsonObject>> = {
  l1: { l1: 0.01 },
  l2: { l2: 0.01 },
  l1l2: { l1: 0, l2: 0 },
  orthogonal: { factor: 0.01, mode: "rows" },
  maxNorm: { maxValue: 2, axis: 0 },
  unitNorm: { axis: 0 },
  minMaxNorm: { minValue: 0, maxValue: 1, rate: 1, axis: 0 },
};

function initializerToKeras(value: unknown, where: string): JsonObject {
  const module = "keras.initializers";
  if (value === "function") return refuse(`${where} is a function, which cannot be written down; use a name or a constant`);
  if (typeof value === "string") {
    const className = { normal: "RandomNormal", uniform: "RandomUniform" }[value] ?? toPascal(value);
    return keras(module, className, ["zeros", "ones", "identity"].includes(value) ? {} : { seed: null });
  }
  const { kind, constant, ...config } = objectAt(value, where);
  if (constant !== undefined) return keras(module, "Constant", { value: constant });
  const snake = snakeKeys(config);
  const words = Object.entries(snake).map(([key, item]) => [key, typeof item === "string" ? toSnake(item) : item]);
  return keras(module, toPascal(String(kind)), { ...(kind !== "identity" && { seed: null }), ...Object.fromEntries(words) });
}

function initializerFromKeras(value: unknown, where: string): unknown {
  const { className, config } = classOf(value, where);
  const kind = className.includes("_") || className === className.toLowerCase() ? toCamel(className) : fromPascal(className);
  if (kind === "constant") return { constant: config["value"] ?? 0 };
  const { seed: _seed, input_axes: _in, output_axes: _out, dtype: _dtype, ...rest } = config;
  const words = Object.entries(camelKeys(rest)).map(([key, item]) => [key, typeof item === "string" ? toCamel(item) : item]);
  const numbers: JsonObject = Object.fromEntries(words);
  const standard = standards[kind] ?? {};
  const plain = Object.entries(numbers).every(([key, item]) => standard[key] === item);
  return plain ? kind : { kind, ...numbers };
}

/** Keras's defaults: with these numbers an initialiser is its name. */
const standards: Readonly<Record<string, JsonObject>> = {
  randomNormal: { mean: 0, stddev: 0.05 },
  truncatedNormal: { mean: 0, stddev: 0.05 },
  randomUniform: { minval: -0.05, maxval: 0.05 },
  varianceScaling: { scale: 1, mode: "fanIn", distribution: "truncatedNormal" },
  orthogonal: { gain: 1 },
  identity: { gain: 1 },
};

/** A class with its arguments, or its name alone. */
function classOf(value: unknown, where: string): { readonly className: string; readonly config: JsonObject } {
  if (typeof value === "string") return { className: value, config: {} };
  const object = objectAt(value, where);
  return { className: textAt(object["class_name"], `${where}.class_name`), config: objectAt(object["config"] ?? {}, `${where}.config`) };
}

function withAxes(value: unknown, map: (axes: readonly number[]) => readonly number[]): unknown {
  if (!isObject(value) || value["axis"] === undefined) return value;
  const axis: unknown = value["axis"];
  const [first, ...others] = map((Array.isArray(axis) ? axis : [axis]).map(Number));
  return { ...value, axis: others.length === 0 ? first : [first, ...others] };
}

export function snakeKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [toSnake(key), value]));
}

export function camelKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [toCamel(key), value]));
}
