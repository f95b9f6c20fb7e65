import type { InputField, Manifest, Predictions } from "../../core/index.ts";

/** A server under test: how to reach it, and what it must answer. */
export interface RequestSuiteFixture {
  /** Sends one request; the path begins with "/". */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** A classifier with at least one number and one string column that no row may leave out, and one column that may be. */
  readonly manifest: Manifest;
  /** Raw rows, as training read them. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** What training's evaluation computed for them. */
  readonly expected: Predictions & { readonly task: "classification" };
  /** The server's body limit, small enough to go over in a test. */
  readonly maxBodyBytes: number;
}

/** An answer with its JSON. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** One input of a V2 request. */
export interface TensorRequest {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

/** Rows as a V2 request's inputs. */
export function tensorsOf(
  manifest: Manifest,
  rows: readonly Readonly<Record<string, unknown>>[],
  { nested = false }: { nested?: boolean } = {},
): TensorRequest[] {
  return manifest.inputs.map((field) => {
    const cells = rows.map((row) => row[field.name] ?? null);
    const datatype = { number: "FP64", string: "BYTES", tensor: "FP32" }[field.kind];
    if (field.kind === "tensor") return { name: field.name, datatype, shape: [rows.length, ...field.shape], data: cells.flat(8) };
    return nested
      ? { name: field.name, datatype, shape: [rows.length, 1], data: cells.map((cell) => [cell]) }
      : { name: field.name, datatype, shape: [rows.length], data: cells };
  });
}

/** Sends a body, as JSON unless it is text, and reads the answer as JSON. */
export async function post(fetch: RequestSuiteFixture["fetch"], path: string, body: unknown): Promise<JsonAnswer> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

/** The first column of a kind that no row may leave out. */
export function required(manifest: Manifest, kind: InputField["kind"]): InputField {
  const field = manifest.inputs.find((input) => input.kind === kind && !input.optional);
  if (field === undefined) throw new Error(`the fixture needs a ${kind} column that is not optional`);
  return field;
}

/** Rows as a V1 request's columns. */
export function columnsOf(manifest: Manifest, rows: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown[]> {
  return Object.fromEntries(manifest.inputs.map((field) => [field.name, rows.map((row) => row[field.name] ?? null)]));
}
