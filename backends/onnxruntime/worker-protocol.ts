import { EspalierError, type ErrorCode, type Tensor, type Tensors } from "../../core/index.ts";
import type { Engine } from "./engine.ts";
import type { HostSettings } from "./open-host.ts";

/** A call of one of the engine's methods. */
export interface Call {
  readonly call: number;
  readonly method: keyof Engine;
  readonly args: readonly unknown[];
  /** Of `run`: whether its feeds are in memory that both threads see. They are undefined where they are the last such of the executable. */
  readonly sharesFeeds?: boolean;
}

/** A failure as plain data. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly stack?: string;
}

/** The answer to a call. */
export type Reply =
  | { readonly call: number; readonly ok: true; readonly result: unknown }
  | { readonly call: number; readonly ok: false; readonly failure: Failure };

/** What the worker starts with. */
export type WorkerSettings = HostSettings;

/** Any thrown value as plain data; what is not an EspalierError is a defect. */
export function toFailure(error: unknown): Failure {
  if (error instanceof EspalierError) {
    return { code: error.code, message: error.message, details: plain(error.details), ...(error.stack === undefined ? {} : { stack: error.stack }) };
  }
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: "INTERNAL", message: `onnxruntime worker: ${message}`, details: {}, ...(stack === undefined ? {} : { stack }) };
}

/** The error that a failure stands for. */
export function fromFailure({ code, message, details, stack }: Failure): EspalierError {
  return new EspalierError(code, message, details, stack === undefined ? {} : { cause: stack });
}

/** The memory of tensors, to be handed to another thread without copying. */
export function transferable(tensors: Tensors): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of Object.values(tensors)) {
    if (ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength) buffers.add(data.buffer);
  }
  return [...buffers];
}

/** Copies in memory of their own, which may be transferred while the caller keeps the original. */
export function copyTensors(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]): [string, Tensor] => [name, { dtype, shape, data: data.slice() }]),
  );
}

function plain(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(details, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value))) as typeof details; // same keys
}
