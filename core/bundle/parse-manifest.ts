import { EspalierError } from "../errors.ts";
import type { FittedFeature } from "../features/features.ts";
import type { Manifest } from "./manifest.ts";

/** Says what is wrong with a value, or undefined when nothing is. */
type Check = (value: unknown, path: string) => string | undefined;

/**
 * Checks a manifest's structure, field by field, before anything reads it.
 *
 * @throws BUNDLE_INVALID naming the first field that is wrong
 */
export function parseManifest(value: unknown, source: string): Manifest {
  const problem = manifest(value, "manifest");
  if (problem !== undefined) throw new EspalierError("BUNDLE_INVALID", `${source} is not a bundle: ${problem}`, { source });
  return value as Manifest; // every field was checked
}

const text: Check = (value, path) => (typeof value === "string" ? undefined : `${path} must be a string`);
const finite: Check = (value, path) => (typeof value === "number" && Number.isFinite(value) ? undefined : `${path} must be a finite number`);
const size: Check = (value, path) => (Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : `${path} must be a whole number from 0`);
const flag: Check = (value, path) => (typeof value === "boolean" ? undefined : `${path} must be true or false`);
const anything: Check = () => undefined;

function oneOf(...values: readonly string[]): Check {
  return (value, path) =>
    values.includes(value as string) ? undefined : `${path} must be one of ${values.join(", ")}, not ${JSON.stringify(value)}`;
}

function matching(pattern: RegExp, what: string): Check {
  return (value, path) => (typeof value === "string" && pattern.test(value) ? undefined : `${path} must be ${what}`);
}

function optional(check: Check): Check {
  return (value, path) => (value === undefined ? undefined : check(value, path));
}

function list(check: Check, { maxLength = 1_000_000 }: { maxLength?: number } = {}): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > maxLength) return `${path} must be a list of at most ${maxLength} items`;
    return firstProblem(
      value.map((item, i) => [item, `${path}[${i}]`] as const),
      () => check,
    );
  };
}

function dictionary(check: Check): Check {
  return (value, path) => {
    if (!isRecord(value)) return `${path} must be an object`;
    return firstProblem(
      Object.entries(value).map(([key, item]) => [item, `${path}.${key}`] as const),
      () => check,
    );
  };
}

function record(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (!isRecord(value)) return `${path} must be an object`;
    const names = Object.keys(fields);
    return firstProblem(
      names.map((name) => [value[name], `${path}.${name}`] as const),
      (i) => fields[names[i] ?? ""] ?? anything,
    );
  };
}

/** A record whose other fields depend on one of its fields. */
function union(tag: string, cases: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (!isRecord(value)) return `${path} must be an object`;
    const name = value[tag];
    const found = typeof name === "string" && Object.hasOwn(cases, name) ? cases[name] : undefined;
    return found === undefined ? oneOf(...Object.keys(cases))(name, `${path}.${tag}`) : found(value, path);
  };
}

function firstProblem(items: readonly (readonly [value: unknown, path: string])[], checkOf: (index: number) => Check): string | undefined {
  for (const [i, [value, path]] of items.entries()) {
    const problem = checkOf(i)(value, path);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Object.hasOwn(value, "__proto__");
}

const shape = list(size, { maxLength: 32 });
const sha256 = matching(/^[0-9a-f]{64}$/, "64 hexadecimal digits");

const feature = union("kind", {
  number: record({ column: text, mean: finite, standardDeviation: finite, missing: flag }),
  category: record({ column: text, vocabulary: list(text) }),
  date: record({
    column: text,
    mean: finite,
    standardDeviation: finite,
    missing: flag,
    parts: list(oneOf("month", "weekday", "hour"), { maxLength: 3 }),
  }),
  image: record({ column: text, shape, scale: finite }),
  series: record({ column: text, window: size, mean: finite, standardDeviation: finite }),
  text: record({ column: text, merges: list(size), maxLength: size }),
} satisfies Record<FittedFeature["kind"], Check>);

const target = union("task", {
  classification: record({ column: text, classes: list(text), numeric: flag }),
  regression: record({ column: text, mean: finite, standardDeviation: finite, horizon: optional(size) }),
});

const manifest = record({
  format: oneOf("espalier-bundle"),
  formatVersion: size,
  name: matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'letters, digits, ".", "_" and "-"'),
  version: matching(/^[0-9a-f]{16}$/, "16 hexadecimal digits"),
  createdAt: text,
  model: dictionary(anything),
  graph: dictionary(anything),
  features: record({ features: list(feature) }),
  target,
  inputs: list(
    record({
      name: text,
      kind: oneOf("number", "string", "tensor"),
      shape,
      optional: flag,
      categories: optional(list(text)),
      range: optional(list(finite)),
    }),
  ),
  series: optional(record({ time: text, group: optional(text), window: size, horizon: size })),
  example: dictionary(anything),
  metrics: dictionary(finite),
  lineage: record({
    run: optional(text),
    seed: finite,
    from: optional(record({ name: text, version: text })),
    data: record({ fingerprint: text, rows: size, source: text }),
  }),
  environment: dictionary(text),
  tensors: dictionary(record({ dtype: oneOf("float16", "float32", "float64", "int32", "int64", "uint8", "bool"), shape, sha256 })),
  digest: sha256,
});
