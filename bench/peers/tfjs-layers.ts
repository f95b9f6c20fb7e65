import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type * as TfCore from "@tensorflow/tfjs-core";

/** The part of `@tensorflow/tfjs-layers` 4.22 that is used; the package is installed by `npm run bench:setup`, not by the product. */
interface TfLayers {
  sequential(): TfModel;
  model(config: { readonly inputs: unknown; readonly outputs: unknown }): TfModel;
  input(config: { readonly shape: readonly number[] }): unknown;
  readonly layers: Readonly<Record<TfLayerName, (config: Readonly<Record<string, unknown>>) => TfLayer>>;
}

type TfLayerName =
  | "dense"
  | "conv2d"
  | "maxPooling2d"
  | "flatten"
  | "zeroPadding2d"
  | "batchNormalization"
  | "activation"
  | "add"
  | "globalAveragePooling2d";

/** A layer, which is applied to symbolic values. */
interface TfLayer {
  apply(inputs: unknown): unknown;
  getWeights(): readonly TfCore.Tensor[];
  setWeights(weights: readonly TfCore.Tensor[]): void;
}

/** A tfjs layers model. */
export interface TfModel {
  add(layer: unknown): void;
  compile(config: Readonly<Record<string, unknown>>): void;
  setWeights(weights: readonly TfCore.Tensor[]): void;
  getLayer(name: string): TfLayer;
  trainOnBatch(x: TfCore.Tensor, y: TfCore.Tensor): Promise<number | number[]>;
}

/** tfjs with the wasm backend ready. */
export interface TfjsPeer {
  readonly core: typeof TfCore;
  readonly layers: TfLayers;
  /** What was added so that models train. */
  readonly patch: string;
}

/** Loads tfjs 4.22's layers on its wasm backend (SIMD; it has no threads in Node) and adds the one kernel without which convolutions do not train. */
export async function loadTfjs(): Promise<TfjsPeer> {
  const core = (await load("@tensorflow/tfjs-core")) as typeof TfCore; // pinned in bench/package.json
  const wasm = (await load("@tensorflow/tfjs-backend-wasm")) as { setWasmPaths(path: string): void }; // as above
  const layers = (await load("@tensorflow/tfjs-layers")) as TfLayers; // as above
  const require = createRequire(import.meta.url);
  wasm.setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/"));
  if (!(await core.setBackend("wasm"))) throw new Error("tfjs: the wasm backend does not start here");
  await core.ready();
  registerConv2DBackpropFilter(core);
  return { core, layers, patch: "Conv2DBackpropFilter composed of wasm's Pad, Slice, Transpose and MatMul kernels" };
}

async function load(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    throw new Error(`${name} is not installed: run npm run bench:setup`, { cause: error });
  }
}

interface ConvAttributes {
  readonly strides: number | [number, number];
  readonly pad: "same" | "valid" | number;
  readonly dimRoundingMode: "floor" | "round" | "ceil" | undefined;
  readonly filterShape: [number, number, number, number];
}

/**
 * The missing gradient kernel, composed of kernels that wasm has: for each place in the filter, the input's slice under it, transposed,
 * times dY. Transposed explicitly, because wasm's MatMul with `transposeA` leaves XNNPACK and is many times slower.
 */
function registerConv2DBackpropFilter(core: typeof TfCore): void {
  core.registerKernel({
    kernelName: "Conv2DBackpropFilter",
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs }) => {
      const engine = core.engine();
      const { x, dy } = inputs as unknown as { x: TfCore.Tensor4D; dy: TfCore.Tensor4D }; // as tfjs-core calls this kernel
      const { strides, pad, dimRoundingMode, filterShape } = attrs as unknown as ConvAttributes;
      const info = core.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode);
      return core.tidy(() => {
        const input = engine.makeTensorFromTensorInfo(x) as TfCore.Tensor4D; // its own shape
        const gradient = engine.makeTensorFromTensorInfo(dy) as TfCore.Tensor4D;
        const { top, bottom, left, right } = info.padInfo;
        const padded = core.pad(input, [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ]);
        const rows = info.batchSize * info.outHeight * info.outWidth;
        const flat = core.reshape(gradient, [rows, info.outChannels]);
        const places: TfCore.Tensor[] = [];
        for (let y = 0; y < info.filterHeight; y += 1) {
          for (let place = 0; place < info.filterWidth; place += 1) {
            const end = [info.batchSize, y + info.strideHeight * (info.outHeight - 1) + 1, place + info.strideWidth * (info.outWidth - 1) + 1];
            const slice = core.stridedSlice(padded, [0, y, place, 0], [...end, info.inChannels], [1, info.strideHeight, info.strideWidth, 1]);
            places.push(core.matMul(core.transpose(core.reshape(slice, [rows, info.inChannels])), flat));
          }
        }
        return core.reshape(core.stack(places), filterShape);
      });
    },
  });
}
