import type { Bundle } from "../bundle/bundle.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { toOnnx, type ToOnnxOptions } from "./onnx.ts";

/** The key of `metadata_props` under which a bundle's manifest travels, as JSON. */
export const bundleMetadataKey = "espalier.bundle";

/**
 * A bundle as one ONNX file: its graph and weights for any program that reads ONNX, and its manifest in `metadata_props`.
 *
 * The file takes what the bundle's features make of raw columns (`features` float32 [batch, width], an image's pixels, a text's tokens) and answers `logits`
 * or `prediction` in the target's standardised unit; how to get from columns to those inputs, and from those outputs to labels or quantities, is in
 * the manifest: `features`, `target`, `inputs`, `example` and all else that the bundle knows but graph and weights.
 *
 * @throws BUNDLE_CORRUPT when weights do not match the manifest, and as `toOnnx`
 */
export async function bundleToOnnx(bundle: Bundle, options: Pick<ToOnnxOptions, "opset" | "producerVersion"> = {}): Promise<Uint8Array<ArrayBuffer>> {
  return toOnnx(bundle.graph, {
    ...options,
    state: await bundle.readTensors(),
    doc: describe(bundle.manifest),
    metadata: { [bundleMetadataKey]: JSON.stringify(withoutGraph(bundle.manifest)) },
  });
}

function describe({ name, version, target }: Manifest): string {
  const kind = target.task === "classification" ? `classes ${target.classes.join(", ")}` : "a quantity";
  return `${name}, version ${version}: ${target.task} of "${target.column}" (${kind}). Inputs are transformed features; metadata_props has the manifest.`;
}

/** The file has graph and weights itself. */
function withoutGraph({ graph: _graph, tensors: _tensors, digest: _digest, ...rest }: Manifest): Omit<Manifest, "graph" | "tensors" | "digest"> {
  return rest;
}
