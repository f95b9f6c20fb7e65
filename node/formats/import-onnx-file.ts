import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EspalierError, importOnnx, type ImportOnnxOptions, type Model } from "../../core/index.ts";
import { externalFiles } from "./external-files.ts";

/**
 * An ONNX file as a model, as `importOnnx`; weights in other files are read from the model's own folder and nowhere else.
 *
 * @throws FILE_UNREADABLE when the file or one that it names cannot be read, and as `importOnnx`
 * @example const { graph, state } = await importOnnxFile("detector.onnx", { dimensions: { height: 320, width: 320 } });
 */
export async function importOnnxFile(path: string, options: Omit<ImportOnnxOptions, "externalData"> = {}): Promise<Model> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError("FILE_UNREADABLE", `cannot read ${path}: ${reason}`, { path }, { cause });
  });
  const files = externalFiles(dirname(path));
  try {
    return importOnnx(bytes, { ...options, externalData: files.read });
  } finally {
    files.close();
  }
}
