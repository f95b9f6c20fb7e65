import type { TypedArray } from "../../../core/index.ts";
import type { MachineApi } from "../machine/compile.ts";
import type { Koffi, KoffiLibrary } from "./koffi.ts";

/** The version of the C API whose functions are used; later libraries keep them in their places. */
const apiVersion = 17;

/** The functions that are used. */
type FunctionName =
  | "getErrorMessage"
  | "createEnv"
  | "createSessionFromArray"
  | "createSessionOptions"
  | "setOptimizedModelFilePath"
  | "disableMemPattern"
  | "setSessionLogSeverityLevel"
  | "setSessionGraphOptimizationLevel"
  | "setIntraOpNumThreads"
  | "getTensorMutableData"
  | "createCustomOpDomain"
  | "addCustomOp"
  | "addCustomOpDomain"
  | "kernelAttribute"
  | "kernelInputCount"
  | "kernelInput"
  | "kernelOutput"
  | "createTensorWithData"
  | "createCpuMemoryInfo"
  | "releaseStatus"
  | "releaseSession"
  | "releaseValue"
  | "releaseSessionOptions"
  | "addSessionConfigEntry"
  | "runWithBinding"
  | "createIoBinding"
  | "releaseIoBinding"
  | "bindInput"
  | "bindOutput";

/**
 * Functions of `OrtApi` by their place in the struct.
 * @see https://onnxruntime.ai/docs/api/c/struct_ort_api.html
 */
const functions: Readonly<Record<FunctionName, readonly [place: number, prototype: string]>> = {
  getErrorMessage: [2, "const char* GetErrorMessage(void*)"],
  createEnv: [3, "void* CreateEnv(int, const char*, _Out_ void**)"],
  createSessionFromArray: [8, "void* CreateSessionFromArray(void*, void*, size_t, void*, _Out_ void**)"],
  createSessionOptions: [10, "void* CreateSessionOptions(_Out_ void**)"],
  setOptimizedModelFilePath: [11, "void* SetOptimizedModelFilePath(void*, const char*)"],
  disableMemPattern: [17, "void* DisableMemPattern(void*)"],
  setSessionLogSeverityLevel: [22, "void* SetSessionLogSeverityLevel(void*, int)"],
  setSessionGraphOptimizationLevel: [23, "void* SetSessionGraphOptimizationLevel(void*, int)"],
  setIntraOpNumThreads: [24, "void* SetIntraOpNumThreads(void*, int)"],
  getTensorMutableData: [51, "void* GetTensorMutableData(void*, _Out_ void**)"],
  createCustomOpDomain: [26, "void* CreateCustomOpDomain(const char*, _Out_ void**)"],
  addCustomOp: [27, "void* CustomOpDomain_Add(void*, void*)"],
  addCustomOpDomain: [28, "void* AddCustomOpDomain(void*, void*)"],
  kernelAttribute: [86, "void* KernelInfoGetAttribute_int64(void*, const char*, _Out_ int64_t*)"],
  kernelInputCount: [88, "void* KernelContext_GetInputCount(void*, _Out_ size_t*)"],
  kernelInput: [90, "void* KernelContext_GetInput(void*, size_t, _Out_ void**)"],
  kernelOutput: [91, "void* KernelContext_GetOutput(void*, size_t, void*, size_t, _Out_ void**)"],
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
};

/** A pointer of the library's. */
export type Pointer = bigint;

/** What functions take. */
export type Argument = Pointer | number | string | TypedArray | [Pointer | number | null] | null;

/** The functions, each of which returns a status. */
export type OrtApi = Readonly<Record<FunctionName, (...args: readonly Argument[]) => unknown>>;

/** Functions that only machine code calls, by their place. */
const machineFunctions = {
  kernelInput: functions.kernelInput[0],
  kernelOutput: functions.kernelOutput[0],
  getTensorMutableData: functions.getTensorMutableData[0],
  kernelParallelFor: 274,
} as const;

/** Where functions are that machine code calls. */
export function readAddresses(koffi: Koffi, library: KoffiLibrary): MachineApi {
  const api = apiOf(koffi, library);
  const entries = Object.entries(machineFunctions).map(([name, place]) => [name, pointerAt(koffi, api, place)] as const);
  return Object.fromEntries(entries) as unknown as MachineApi; // one entry for each of its keys
}

function apiOf(koffi: Koffi, library: KoffiLibrary): unknown {
  const base: unknown = library.func("void* OrtGetApiBase()")();
  const getApi: unknown = koffi.decode(base, 0, "void*");
  return koffi.call(getApi, koffi.proto("void* (uint32_t)"), apiVersion);
}

function pointerAt(koffi: Koffi, api: unknown, place: number): unknown {
  return koffi.decode(api, place * koffi.sizeof("void*"), "void*");
}

/** The functions at their places in the struct that `OrtGetApiBase()->GetApi(version)` points to. */
export function readApi(koffi: Koffi, library: KoffiLibrary): OrtApi {
  const api = apiOf(koffi, library);
  const entries = Object.entries(functions).map(([name, [place, prototype]]) => {
    const pointer = pointerAt(koffi, api, place);
    const type = koffi.proto(prototype.replace(/ \w+\(/, " (")); // without a name: names are registered once a process
    return [name, (...args: readonly Argument[]): unknown => koffi.call(pointer, type, ...args)] as const;
  });
  return Object.fromEntries(entries) as unknown as OrtApi; // one entry for each of its keys
}
