import { FunctionBuilder, type ValueKind, valueKinds } from "./function-builder.ts";
import { unsigned } from "./leb128.ts";

/** "\0asm" and version 1. */
const magic: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** A function of a module to be. */
export interface FunctionSource {
  readonly name: string;
  readonly parameters: readonly ValueKind[];
  build(code: FunctionBuilder): void;
}

/**
 * Writes a WebAssembly module: functions without results over one imported shared memory, `env.memory`.
 * @see https://webassembly.github.io/spec/core/binary/modules.html
 */
export function writeModule(functions: readonly FunctionSource[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [0x60, ...vector(parameters.map((kind) => [valueKinds[kind]])), 0]);
  const memory = [...text("env"), ...text("memory"), 0x02, 0x03, ...unsigned(1), ...unsigned(65_536)]; // shared, 1 to 65536 pages
  const exported = functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)]);
  const bodies = functions.map((source) => {
    const code = new FunctionBuilder(source.parameters);
    source.build(code);
    const body = code.body();
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    ...magic,
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(exported)),
    ...section(10, vector(bodies)),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
}
