import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { dtypeCodes, EspalierError, type DType, type TypedArray } from "../../../core/index.ts";
import type { MachineHost } from "../machine/compile.ts";
import { openMachineMemory } from "../machine/machine-memory.ts";
import { CustomOperators, type Creating } from "./custom-operators.ts";
import { createOptimized } from "./optimized-file.ts";
import { readAddresses, readApi, type OrtApi, type Pointer } from "./ort-api.ts";
import { findCopy } from "./memory-copy.ts";
import { importKoffi, type Koffi, type KoffiLibrary } from "./koffi.ts";
import { sessionConfig, type SessionSettings } from "../session-settings.ts";

/** A session that reads its inputs from and writes its outputs to memory that it is given once, without a copy. */
export interface NativeSession {
  /** The model after ONNX Runtime's optimizations, where it was wanted and could be had. It holds for this machine. */
  readonly optimized: Uint8Array | undefined;
  /** The memory stays where it is and is not freed until something else is bound or the session is released. */
  bindInput(name: string, value: BoundValue): void;
  bindOutput(name: string, value: BoundValue): void;
  /** Blocks while it computes. */
  run(): void;
  release(): void;
}

/** Memory as a tensor. */
export interface BoundValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Not on V8's heap, whose objects move: an arena's view. */
  readonly data: TypedArray;
}

/** What a session is created with besides the model. */
export interface SessionOptions extends Partial<Creating> {
  /** Whether the model is an `optimized` one of before. */
  readonly isOptimized?: boolean;
  /** Whether the optimized model is wanted, for the next session of the same. */
  readonly keepsOptimized?: boolean;
}

/** ONNX Runtime by its C API. */
export interface OrtLibrary {
  /** @throws Error with ONNX Runtime's message */
  createSession(model: Uint8Array, settings: SessionSettings, options?: SessionOptions): NativeSession;
  /** What products are compiled with as machine code; undefined where this machine does not run it. Found out at the first call. */
  machine(): Omit<MachineHost, "threads"> | undefined;
  /** Copies between memory of any kind. */
  readonly copy: (to: bigint, from: bigint, bytes: number) => void;
  /** Where memory is. */
  readonly addressOf: (data: TypedArray) => bigint;
}

/**
 * Loads the library that onnxruntime-node brings by its C API, which, other than onnxruntime-node, writes outputs where they are wanted: the copies
 * were 20% of a small network's training step.
 *
 * @param load imports koffi; given by tests
 * @returns undefined where koffi is not installed or the library has another name
 */
export async function loadOrtLibrary(load: () => Promise<Koffi> = importKoffi): Promise<OrtLibrary | undefined> {
  const path = findLibrary();
  if (path === undefined) return undefined;
  const koffi = await load().catch(() => undefined); // absent, or without a binary for this platform
  return koffi && new Library(koffi, path);
}

/** The shared library in onnxruntime-node's folder for this platform. */
function findLibrary(): string | undefined {
  try {
    const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
    const folder = join(root, "bin", "napi-v6", process.platform, process.arch);
    const file = readdirSync(folder).find((name) => /^(lib)?onnxruntime(\.\d[\d.]*)?\.(so(\.\d+)*|dylib|dll)$/.test(name));
    return file === undefined ? undefined : join(folder, file);
  } catch {
    return undefined; // not installed, or no binaries for this platform
  }
}

/** ORT_LOGGING_LEVEL_FATAL: failures are thrown, not printed. */
const silent = 4;
/** ORT_DISABLE_ALL and ORT_ENABLE_ALL */
const [noOptimizations, allOptimizations] = [0, 99];

class Library implements OrtLibrary {
  readonly copy: OrtLibrary["copy"];
  readonly addressOf: OrtLibrary["addressOf"];
  readonly #koffi: Koffi;
  /** Held, because the library is unloaded when its handle is collected. */
  readonly handle: KoffiLibrary;
  readonly #api: OrtApi;
  /** Made when a model has operators of our own: its callbacks cost a cold start. */
  #operators: CustomOperators | undefined;
  #machine: { readonly found: ReturnType<OrtLibrary["machine"]> } | undefined;
  readonly #env: Pointer;
  readonly #memoryInfo: Pointer;

  constructor(koffi: Koffi, path: string) {
    this.#koffi = koffi;
    this.handle = koffi.load(path);
    this.#api = readApi(koffi, this.handle);
    const { copy, address } = { copy: findCopy(koffi), address: (data: TypedArray) => koffi.address(data) };
    this.copy = copy;
    this.addressOf = address;
    this.#env = this.#made((out) => this.#api.createEnv(silent, "espalier", out));
    this.#memoryInfo = this.#made((out) => this.#api.createCpuMemoryInfo(0, 0, out)); // OrtDeviceAllocator, OrtMemTypeDefault
  }

  machine(): ReturnType<OrtLibrary["machine"]> {
    this.#machine ??= { found: this.#findMachine() };
    return this.#machine.found;
  }

  #findMachine(): ReturnType<OrtLibrary["machine"]> {
    const memory = openMachineMemory(this.#koffi);
    return memory && { memory, api: readAddresses(this.#koffi, this.handle) };
  }

  createSession(
    model: Uint8Array,
    { threads }: SessionSettings,
    { computations = [], products = [], isOptimized = false, keepsOptimized = false }: SessionOptions = {},
  ): NativeSession {
    const api = this.#api;
    const options = this.#made((out) => api.createSessionOptions(out));
    try {
      this.#check(api.disableMemPattern(options));
      this.#check(api.setSessionLogSeverityLevel(options, silent));
      this.#check(api.setSessionGraphOptimizationLevel(options, isOptimized ? noOptimizations : allOptimizations));
      this.#check(api.setIntraOpNumThreads(options, threads));
      for (const [key, value] of Object.entries(sessionConfig)) this.#check(api.addSessionConfigEntry(options, key, value));
      if (computations.length + products.length > 0) {
        this.#operators ??= new CustomOperators(this.#koffi, { api, check: (status) => this.#check(status) });
        if (products.length > 0) this.#operators.addProducts(this.machine()?.memory);
        this.#check(api.addCustomOpDomain(options, this.#operators.domain));
      }
      const create = (): Pointer => this.#made((out) => api.createSessionFromArray(this.#env, model, model.byteLength, options, out));
      const make = (): Pointer => this.#operators?.during({ computations, products }, create) ?? create();
      // On Windows the path is of another kind of character.
      if (!keepsOptimized || isOptimized || process.platform === "win32") return this.#wrap(make());
      const { session, optimized } = createOptimized((path) => {
        this.#check(api.setOptimizedModelFilePath(options, path));
        return make();
      });
      return this.#wrap(session, optimized);
    } finally {
      api.releaseSessionOptions(options);
    }
  }

  #wrap(session: Pointer, optimized?: Uint8Array): NativeSession {
    const api = this.#api;
    const binding = this.#made((out) => api.createIoBinding(session, out));
    const bind = (how: "bindInput" | "bindOutput", name: string, value: BoundValue): void => {
      const tensor = this.#tensor(value);
      try {
        this.#check(api[how](binding, name, tensor));
      } finally {
        api.releaseValue(tensor); // the binding has its own reference
      }
    };
    return {
      optimized,
      bindInput: (name, value) => bind("bindInput", name, value),
      bindOutput: (name, value) => bind("bindOutput", name, value),
      run: () => {
        const failure = this.#failureOf(api.runWithBinding(session, null, binding));
        this.#operators?.rethrow(); // what nodes after it failed with follows from that
        if (failure !== undefined) throw failure;
      },
      release() {
        api.releaseIoBinding(binding);
        api.releaseSession(session);
      },
    };
  }

  #tensor({ dtype, shape, data }: BoundValue): Pointer {
    const sizes = BigInt64Array.from(shape, BigInt);
    const address = this.#koffi.address(data);
    return this.#made((out) => {
      return this.#api.createTensorWithData(this.#memoryInfo, address, data.byteLength, sizes, sizes.length, dtypeCodes[dtype], out);
    });
  }

  /** What a call puts into its last parameter. */
  #made(call: (out: [Pointer | null]) => unknown): Pointer {
    const out: [Pointer | null] = [null];
    this.#check(call(out));
    if (out[0] === null) throw new EspalierError("INTERNAL", "onnxruntime's C API made nothing and told no failure", {});
    return out[0];
  }

  #check(status: unknown): void {
    const failure = this.#failureOf(status);
    if (failure !== undefined) throw failure;
  }

  /** What a status tells, which is released. */
  #failureOf(status: unknown): Error | undefined {
    if (status === null) return undefined;
    const message = String(this.#api.getErrorMessage(status as Pointer)); // every function returns a status
    this.#api.releaseStatus(status as Pointer);
    return new Error(message);
  }
}
