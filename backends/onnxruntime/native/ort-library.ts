import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { dtypeCodes, EspalierError, type DType, type TypedArray } from "../../../core/index.ts";
import { importKoffi, type Koffi, type KoffiLibrary } from "./koffi.ts";
import { sessionConfig, type SessionSettings } from "../session-settings.ts";

/** A session that reads its inputs from and writes its outputs to memory that it is given once, without a copy. */
export interface NativeSession {
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

/** ONNX Runtime by its C API. */
export interface OrtLibrary {
  /** @throws Error with ONNX Runtime's message */
  createSession(model: Uint8Array, settings: SessionSettings): NativeSession;
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

/** The version of the C API whose functions are used; later libraries keep them in their places. */
const apiVersion = 17;

/**
 * Functions of `OrtApi` by their place in the struct.
 * @see https://onnxruntime.ai/docs/api/c/struct_ort_api.html
 */
const functions = {
  getErrorMessage: [2, "const char* GetErrorMessage(void*)"],
  createEnv: [3, "void* CreateEnv(int, const char*, _Out_ void**)"],
  createSessionFromArray: [8, "void* CreateSessionFromArray(void*, void*, size_t, void*, _Out_ void**)"],
  createSessionOptions: [10, "void* CreateSessionOptions(_Out_ void**)"],
  disableMemPattern: [17, "void* DisableMemPattern(void*)"],
  setSessionLogSeverityLevel: [22, "void* SetSessionLogSeverityLevel(void*, int)"],
  setSessionGraphOptimizationLevel: [23, "void* SetSessionGraphOptimizationLevel(void*, int)"],
  setIntraOpNumThreads: [24, "void* SetIntraOpNumThreads(void*, int)"],
  createTensorWithData: [49, "void* CreateTensorWithDataAsOrtValue(void*, void*, size_t, void*, size_t, int, _Out_ void**)"],
  createCpuMemoryInfo: [69, "void* CreateCpuMemoryInfo(int, int, _Out_ void**)"],
  releaseStatus: [93, "void ReleaseStatus(void*)"],
  releaseSession: [95, "void ReleaseSession(void*)"],
  releaseValue: [96, "void ReleaseValue(void*)"],
  releaseSessionOptions: [100, "void ReleaseSessionOptions(void*)"],
  addSessionConfigEntry: [130, "void* AddSessionConfigEntry(void*, const char*, const char*)"],
  runWithBinding: [133, "void* RunWithBinding(void*, void*, void*)"],
  createIoBinding: [134, "void* CreateIoBinding(void*, _Out_ void**)"],
  releaseIoBinding: [135, "void ReleaseIoBinding(void*)"],
  bindInput: [136, "void* BindInput(void*, const char*, void*)"],
  bindOutput: [137, "void* BindOutput(void*, const char*, void*)"],
} as const satisfies Readonly<Record<string, readonly [place: number, prototype: string]>>;

type Pointer = bigint;
type Argument = Pointer | number | string | TypedArray | [Pointer | null] | null;
type Api = Readonly<Record<keyof typeof functions, (...args: readonly Argument[]) => unknown>>;

/** ORT_LOGGING_LEVEL_FATAL: failures are thrown, not printed. */
const silent = 4;
/** ORT_ENABLE_ALL */
const allOptimizations = 99;

class Library implements OrtLibrary {
  readonly #koffi: Koffi;
  /** Held, because the library is unloaded when its handle is collected. */
  readonly handle: KoffiLibrary;
  readonly #api: Api;
  readonly #env: Pointer;
  readonly #memoryInfo: Pointer;

  constructor(koffi: Koffi, path: string) {
    this.#koffi = koffi;
    this.handle = koffi.load(path);
    this.#api = readApi(koffi, this.handle);
    this.#env = this.#made((out) => this.#api.createEnv(silent, "espalier", out));
    this.#memoryInfo = this.#made((out) => this.#api.createCpuMemoryInfo(0, 0, out)); // OrtDeviceAllocator, OrtMemTypeDefault
  }

  createSession(model: Uint8Array, { threads }: SessionSettings): NativeSession {
    const api = this.#api;
    const options = this.#made((out) => api.createSessionOptions(out));
    this.#check(api.disableMemPattern(options));
    this.#check(api.setSessionLogSeverityLevel(options, silent));
    this.#check(api.setSessionGraphOptimizationLevel(options, allOptimizations));
    this.#check(api.setIntraOpNumThreads(options, threads));
    for (const [key, value] of Object.entries(sessionConfig)) this.#check(api.addSessionConfigEntry(options, key, value));
    try {
      const session = this.#made((out) => api.createSessionFromArray(this.#env, model, model.byteLength, options, out));
      return this.#wrap(session);
    } finally {
      api.releaseSessionOptions(options);
    }
  }

  #wrap(session: Pointer): NativeSession {
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
      bindInput: (name, value) => bind("bindInput", name, value),
      bindOutput: (name, value) => bind("bindOutput", name, value),
      run: () => this.#check(api.runWithBinding(session, null, binding)),
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
    if (status === null) return;
    const message = String(this.#api.getErrorMessage(status as Pointer)); // every function returns a status
    this.#api.releaseStatus(status as Pointer);
    throw new Error(message);
  }
}

/** The functions at their places in the struct that `OrtGetApiBase()->GetApi(version)` points to. */
function readApi(koffi: Koffi, library: KoffiLibrary): Api {
  const base: unknown = library.func("void* OrtGetApiBase()")();
  const getApi: unknown = koffi.decode(base, 0, "void*");
  const api: unknown = koffi.call(getApi, koffi.proto("void* (uint32_t)"), apiVersion);
  const entries = Object.entries(functions).map(([name, [place, prototype]]) => {
    const pointer: unknown = koffi.decode(api, place * koffi.sizeof("void*"), "void*");
    const type = koffi.proto(prototype.replace(/ \w+\(/, " (")); // without a name: names are registered once a process
    return [name, (...args: readonly Argument[]): unknown => koffi.call(pointer, type, ...args)] as const;
  });
  return Object.fromEntries(entries) as unknown as Api; // one entry for each of its keys
}
