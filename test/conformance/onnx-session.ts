import * as runtime from "onnxruntime-node";
import { tensor, type DType, type Tensor, type Tensors, type TypedArray } from "../../core/index.ts";

/** Runs the bytes of an ONNX model in ONNX Runtime itself, without any of Espalier's backends. */
export async function runOnnx(bytes: Uint8Array, runs: readonly Tensors[]): Promise<readonly Tensors[]> {
  const session = await runtime.InferenceSession.create(bytes, { graphOptimizationLevel: "basic", logSeverityLevel: 4 });
  try {
    const results: Tensors[] = [];
    for (const feeds of runs) {
      const inputs = Object.entries(feeds).map(([name, value]) => [name, toRuntime(value)] as const);
      const outputs = await session.run(Object.fromEntries(inputs));
      results.push(Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, fromRuntime(output)])));
    }
    return results;
  } finally {
    await session.release();
  }
}

/** Why ONNX Runtime cannot run a model that is in order: it has no kernel for an element type. Undefined for any other error. */
export function missingKernel(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  return /Could not find an implementation for [^\n]*/.exec(message)?.[0];
}

function toRuntime({ dtype, data, shape }: Tensor): runtime.Tensor {
  const made = new runtime.Tensor(dtype as "float32", data as Float32Array, shape); // the types go together in a Tensor
  if (dtype !== "float16") return made;
  const { buffer, byteOffset, length } = data as Float16Array; // the dtype's memory, of which onnxruntime-node takes the bits
  return Object.defineProperty(made, "data", { value: new Uint16Array(buffer, byteOffset, length) });
}

function fromRuntime({ type, dims, data }: runtime.Tensor): Tensor {
  return tensor(type as DType, dims, data as TypedArray); // the names are the same
}
