import { encodeOnnx, EspalierError, type DType, type OnnxModel, type Tensor, type Tensors } from "../../core/index.ts";
import type { Runtime } from "./runtime.ts";
import { sessionConfig, type SessionSettings } from "./session-settings.ts";

/** One ONNX model ready to run. */
export interface Session {
  /** Whether outputs are the session's memory, which its next run overwrites; else they are the caller's. */
  readonly keepsOutputs: boolean;
  /** @param feeds every input of the model @param batch what its symbolic dimension is @returns every output */
  run(feeds: Tensors, batch: number): Promise<Tensors>;
  /** Writes the profile that its settings asked for. */
  endProfiling?(): void;
  release(): Promise<void>;
}

/**
 * Loads a model into ONNX Runtime.
 *
 * @throws BACKEND_OPERATOR_MISSING when it has no kernel for an operator and its element types; BACKEND_RUN_FAILED when it refuses the
 *   model for another reason
 */
export async function openSession(runtime: Runtime, model: OnnxModel, { threads, profilePrefix }: SessionSettings): Promise<Session> {
  const session = await runtime.InferenceSession.create(encodeOnnx(model), {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Peak memory of training steps was 27% and 45% lower without it, at the same speed.
    enableMemPattern: false,
    graphOptimizationLevel: "all",
    extra: sessionConfig,
    ...(profilePrefix !== undefined && { enableProfiling: true, profileFilePrefix: profilePrefix }),
    logSeverityLevel: 4, // failures are thrown, not printed
  }).catch((error: unknown) => refuseModel(model, error));
  return {
    keepsOutputs: false,
    async run(feeds) {
      const inputs = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, toOrt(runtime, value)]));
      const results = await session.run(inputs).catch((error: unknown) => refuseRun(model, error));
      return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, fromOrt(value)]));
    },
    endProfiling: () => session.endProfiling(),
    release: () => session.release(),
  };
}

type OrtTensor = InstanceType<Runtime["Tensor"]>;

function toOrt(runtime: Runtime, value: Tensor): OrtTensor {
  const isShared = ArrayBuffer.isView(value.data) && value.data.buffer instanceof SharedArrayBuffer; // refused by onnxruntime-node
  const data = isShared ? value.data.slice() : value.data;
  // The constructor's overloads pair each element type with its memory, which a Tensor has paired already.
  const made = new runtime.Tensor(value.dtype as "float32", data as Float32Array, value.shape);
  // Its native part reads float16 by its bits alone: of a Float16Array it sees no bytes.
  if (value.dtype !== "float16") return made;
  const { buffer, byteOffset, length } = data as Float16Array; // the dtype's memory
  return Object.defineProperty(made, "data", { value: new Uint16Array(buffer, byteOffset, length) });
}

function fromOrt(value: OrtTensor): Tensor {
  return { dtype: value.type as DType, shape: value.dims, data: value.data as Float32Array }; // models hold Espalier's element types only
}

/** Throws what creating a session failed with. */
export function refuseModel(model: OnnxModel, error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  const absent = /Could not find an implementation for (\w+)\(\d+\) node with name '([^']*)'/.exec(message);
  if (absent !== null) {
    const [, operator = "", node = ""] = absent;
    const types = inputTypes(model, node);
    throw new EspalierError(
      "BACKEND_OPERATOR_MISSING",
      `onnxruntime has no ${operator} of ${types} (node "${nodeName(node)}" of "${model.name}"); use float32, or the reference backend`,
      { operators: [operator], node: nodeName(node) },
      { cause: error },
    );
  }
  throw new EspalierError("BACKEND_RUN_FAILED", `onnxruntime refuses "${model.name}": ${message}`, { graph: model.name }, { cause: error });
}

/** Throws what running a model failed with. A backend that is lost stays so: no other run would help. */
export function refuseRun(model: OnnxModel, error: unknown): never {
  if (error instanceof EspalierError && error.code === "BACKEND_LOST") throw error;
  const message = error instanceof Error ? error.message : String(error);
  const found = /while running (\w+) node\. Name:'([^']*)' Status Message: ([\s\S]*)/.exec(message);
  const node = found === null ? undefined : nodeName(found[2] ?? "");
  const text = found === null ? message : `node "${node}" (${found[1]}) failed: ${found[3]}`;
  throw new EspalierError(
    "BACKEND_RUN_FAILED",
    `onnxruntime: running "${model.name}": ${text.trim()}`,
    node === undefined ? { graph: model.name } : { graph: model.name, node },
    { cause: error },
  );
}

/** The graph's node that an emitted node belongs to. */
function nodeName(onnxName: string): string {
  return onnxName.split("~")[0] ?? onnxName;
}

function inputTypes(model: OnnxModel, nodeName: string): string {
  const node = model.nodes.find((item) => item.name === nodeName);
  const known = new Map<string, string>([
    ...model.inputs.map((input) => [input.name, input.dtype ?? "unknown"] as const),
    ...Object.entries(model.initializers).map(([name, value]) => [name, value.dtype] as const),
  ]);
  const types = new Set(node?.inputs.flatMap((input) => known.get(input) ?? []));
  return types.size === 0 ? "these element types" : [...types].join(", ");
}
