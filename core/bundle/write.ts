import type { Bundle } from "./bundle.ts";
import { bundleFiles, manifestText } from "./open.ts";
import { encodeSafetensors } from "./safetensors.ts";

/** The folder form: file name to bytes. */
export async function encodeBundleFolder(bundle: Bundle): Promise<Readonly<Record<string, Uint8Array<ArrayBuffer>>>> {
  return {
    [bundleFiles.weights]: encodeSafetensors(await bundle.readTensors()),
    [bundleFiles.manifest]: new TextEncoder().encode(manifestText(bundle.manifest)),
  };
}

/** The one-file form: a safetensors file with the manifest in its metadata, so that any safetensors reader opens the weights. */
export async function encodeBundle(bundle: Bundle): Promise<Uint8Array<ArrayBuffer>> {
  return encodeSafetensors(await bundle.readTensors(), { espalier: JSON.stringify(bundle.manifest) });
}
