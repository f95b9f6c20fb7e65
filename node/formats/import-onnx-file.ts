import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import {
  EspalierError,
  importOnnx,
  onnxToBundle,
  type Bundle,
  type ExternalData,
  type ImportOnnxOptions,
  type Model,
  type OnnxToBundleOptions,
} from "../../core/index.ts";
import { describeEnvironment } from "../environment.ts";
import { externalFiles } from "./external-files.ts";

/**
 * An ONNX file as a model, as `importOnnx`; weights in other files are read from the model's own folder and nowhere else.
 *
 * @throws FILE_UNREADABLE when the file or one that it names cannot be read, and as `importOnnx`
 * @example const { graph, state } = await importOnnxFile("detector.onnx", { dimensions: { height: 320, width: 320 } });
 */
export function importOnnxFile(path: string, options: Omit<ImportOnnxOptions, "externalData"> = {}): Promise<Model> {
  return withOnnxFile(path, (bytes, externalData) => importOnnx(bytes, { ...options, externalData }));
}

/** What `importOnnxBundle` takes: what only the caller knows. */
export type ImportOnnxBundleOptions = Omit<OnnxToBundleOptions, "externalData" | "createdAt" | "environment" | "source">;

/**
 * An ONNX file as a bundle, as `onnxToBundle`: to save, to serve, to learn on with.
 *
 * @throws FILE_UNREADABLE when the file or one that it names cannot be read, and as `onnxToBundle`
 * @example await saveBundle("pets", await importOnnxBundle("pets.onnx", { name: "pets", classes: ["cat", "dog"] }));
 */
export async function importOnnxBundle(path: string, options: ImportOnnxBundleOptions): Promise<Bundle> {
  const known = { createdAt: new Date().toISOString(), environment: describeEnvironment(), source: path };
  return withOnnxFile(path, (bytes, externalData) => onnxToBundle(bytes, { ...options, ...known, externalData }));
}

async function withOnnxFile<T>(path: string, read: (bytes: Uint8Array, externalData: ExternalData) => T): Promise<T> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError("FILE_UNREADABLE", `cannot read ${path}: ${reason}`, { path }, { cause });
  });
  const files = externalFiles(dirname(path));
  try {
    return read(bytes, files.read);
  } finally {
    files.close();
  }
}
