import {
  allocate,
  elementCount,
  encodeOnnx,
  type DType,
  type OnnxModel,
  type OnnxValue,
  type Tensor,
  type Tensors,
  type TypedArray,
} from "../../../core/index.ts";
import type { Arena } from "../arena.ts";
import type { CompiledKernels } from "../kernels/compile.ts";
import { compileProducts, noProducts, type CompiledProducts, type MachineHost, type ProductCall } from "../machine/compile.ts";
import type { CachedPlan } from "../plan-cache.ts";
import type { KernelTeam } from "../team.ts";
import type { OptimizerKernels } from "../kernels/optimizer-kernels.ts";
import { refuseModel, refuseRun, type Session } from "../session.ts";
import type { SessionSettings } from "../session-settings.ts";
import type { NativeSession, OrtLibrary } from "./ort-library.ts";

/** What bound sessions are made with. */
export interface NativeRuntime {
  readonly library: OrtLibrary;
  readonly arena: Arena;
  readonly optimizers: OptimizerKernels;
  /** What products are compiled with as machine code, where that is wanted and this machine runs it. */
  readonly machine: () => MachineHost | undefined;
  /** Threads that help kernels, where there are several. */
  readonly team?: KernelTeam;
}

/** Whether inputs and outputs have memory that can be bound: numbers, whose shapes are known but for the batch. Strings are ONNX Runtime's own objects. */
export function isBindable({ inputs, outputs }: OnnxModel): boolean {
  return [...inputs, ...outputs].every(({ dtype, shape }) => dtype !== undefined && dtype !== "string" && shape !== undefined);
}

/**
 * Loads a model into a session whose inputs and outputs are memory of the arena.
 *
 * State that is in the arena is read where it is, and so are large feeds; other inputs are copied in. Outputs are the session's until its next run.
 *
 * @param bound whose kernels are the session's from now on: where there will be none, they are released
 * @throws as `openSession`, and BACKEND_RUN_FAILED where the system gives no memory for machine code
 */
export function openBoundSession({ library, arena, machine }: NativeRuntime, bound: BoundModel, settings: SessionSettings): Session {
  const { model, kernels, cached } = bound;
  let products = noProducts;
  const session = attempt(
    () => {
      products = compileProducts(bound.products, machine);
      const { bytes, isOptimized } = cached?.model ?? { bytes: encodeOnnx(model), isOptimized: false };
      const created = library.createSession(bytes, settings, {
        computations: kernels.computations,
        products: products.kernels,
        isOptimized,
        keepsOptimized: cached !== undefined,
      });
      if (cached !== undefined) cached.model ??= { bytes: created.optimized ?? bytes, isOptimized: created.optimized !== undefined };
      return created;
    },
    (error) => {
      kernels.release();
      products.release();
      return refuseModel(model, error);
    },
  );
  return new BoundSession(model, session, { arena, code: [kernels, products] });
}

/** A model and the kernels that its own operators are computed by. */
export interface BoundModel {
  readonly model: OnnxModel;
  readonly kernels: CompiledKernels;
  readonly products: readonly ProductCall[];
  /** Where the model is kept as ONNX Runtime loads it, to be loaded again. */
  readonly cached?: CachedPlan;
}

/** From so many bytes on, feeds are read where they are, which takes a few calls of the C API in place of a copy (chosen, not measured). Smaller arrays may be on V8's heap. */
const leastBoundBytes = 2 ** 16;

interface SessionMemory {
  readonly arena: Arena;
  /** What the session's own nodes run. */
  readonly code: readonly (CompiledKernels | CompiledProducts)[];
}

class BoundSession implements Session {
  readonly keepsOutputs = true;
  readonly #model: OnnxModel;
  readonly #code: SessionMemory["code"];
  readonly #session: NativeSession;
  readonly #arena: Arena;
  /** Memory of this session's own, by input's or output's name. */
  readonly #own = new Map<string, Tensor>();
  /** What each input reads now, and how long it was then: memory that can be resized keeps its identity. */
  readonly #inputs = new Map<string, { readonly memory: TypedArray; readonly length: number }>();

  constructor(model: OnnxModel, session: NativeSession, { arena, code }: SessionMemory) {
    this.#model = model;
    this.#code = code;
    this.#session = session;
    this.#arena = arena;
  }

  run(feeds: Tensors, batch: number): Promise<Tensors> {
    for (const { name } of this.#model.inputs) this.#feed(name, feeds[name] as Tensor); // the caller feeds every input
    const outputs = this.#model.outputs.map((output) => [output.name, this.#output(output, batch)] as const);
    attempt(
      () => this.#session.run(),
      (error) => refuseRun(this.#model, error),
    );
    return Promise.resolve(Object.fromEntries(outputs));
  }

  release(): Promise<void> {
    this.#session.release();
    for (const code of this.#code) code.release(); // after the session that runs it
    for (const { data } of this.#own.values()) this.#arena.free(data);
    this.#own.clear();
    return Promise.resolve();
  }

  #feed(name: string, { dtype, shape, data }: Tensor): void {
    if (!ArrayBuffer.isView(data)) throw new TypeError(`input "${name}" is bound, but not numbers`); // isBindable
    const isPlaced = data.byteLength >= leastBoundBytes || this.#arena.offsetOf(data) !== undefined;
    const memory = isPlaced ? data : copyInto(this.#reserve(name, { dtype, shape }).data as TypedArray, data); // numbers, as above
    const last = this.#inputs.get(name);
    if (last?.memory === memory && last.length === memory.length) return;
    this.#session.bindInput(name, { dtype, shape, data: memory });
    this.#inputs.set(name, { memory, length: memory.length });
  }

  #output({ name, dtype = "float32", shape = [] }: OnnxValue, batch: number): Tensor {
    const sizes = shape.map((size) => (typeof size === "number" ? size : batch));
    const known = this.#own.get(`-> ${name}`);
    const value = this.#reserve(`-> ${name}`, { dtype, shape: sizes });
    if (value !== known) this.#session.bindOutput(name, { dtype, shape: sizes, data: value.data as TypedArray }); // numbers, see isBindable
    return value;
  }

  /** Memory for a value, the same as long as its shape is. */
  #reserve(name: string, { dtype, shape }: Pick<Tensor, "dtype" | "shape">): Tensor {
    const known = this.#own.get(name);
    if (known !== undefined && known.shape.length === shape.length && known.shape.every((size, i) => size === shape[i])) return known;
    if (known !== undefined) this.#arena.free(known.data);
    const numeric = dtype as Exclude<DType, "string">; // isBindable
    const value = { dtype, shape, data: this.#arena.allocate(numeric, shape) ?? outsideHeap(numeric, elementCount(shape)) };
    this.#own.set(name, value);
    return value;
  }
}

/** Memory beside the arena: a buffer of its own, because V8 keeps small arrays where it may move them. */
function outsideHeap(dtype: Exclude<DType, "string">, count: number): TypedArray {
  const data = allocate(dtype, Math.max(count, 64));
  return data.subarray(0, count);
}

/** @returns the target */
function copyInto(target: TypedArray, source: TypedArray): TypedArray {
  (target as Float32Array).set(source as Float32Array); // both of one class: feeds and state are checked against the graph
  return target;
}

function attempt<T>(work: () => T, refuse: (error: unknown) => never): T {
  try {
    return work();
  } catch (error) {
    return refuse(error);
  }
}
