import type { SlidingWindow } from "../../../core/index.ts";
import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { masked, type Bounds } from "./bounds.ts";
import { eachPart, partBytes, type KernelPlan } from "./host-kernel.ts";
import { copyPlane, loadStrided, paddedPlanes, planeSlack, vectorColumns, type PaddedPlanes } from "./padded-planes.ts";
import { planeWindow, type Pair, type PlaneWindow } from "./plane-window.ts";

/** What is pooled. */
export interface PooledWindows {
  readonly images: number;
  readonly channels: number;
  /** Of two axes. */
  readonly window: SlidingWindow;
  readonly bounds: Bounds | undefined;
}

/** Elements of a window: more of them make a function that is too long. */
const mostElements = 64;

/**
 * Max pooling's gradient for windows of any kind, strides 1 and 2 along rows: each plane of X is copied with -Infinity around it, and what its windows give
 * is added up in a plane of the same layout, from which dX is cut.
 */
export function planMaxPoolWindowsGrad(pooled: PooledWindows): KernelPlan | undefined {
  const { images, channels, window } = pooled;
  const { input, output, kernel, begin, strides, dilations } = planeWindow(window);
  if (strides[1] > 2 || kernel[0] * kernel[1] > mostElements) return undefined;
  const along = (axis: 0 | 1): number => (output[axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1;
  const reach: Pair = [along(0), along(1)];
  const planes = paddedPlanes({ source: input, begin, reach });
  const source = gradientFunction({ input, output, kernel, strides, dilations, planes, bounds: pooled.bounds });
  const [pixels, places] = [input[0] * input[1], output[0] * output[1]];
  const width = Math.min(channels, Math.max(1, Math.floor(partBytes / (Math.max(pixels, places) * 4))));
  const padded = Math.ceil(planes.planeBytes / 16) * 16 + planeSlack;
  const [dxAt, dyAt] = [width * pixels * 4, 2 * width * pixels * 4];
  const paddedAt = dyAt + width * places * 4;
  return {
    functions: [source],
    writes: [images * channels * pixels],
    scratchBytes: paddedAt + 2 * padded,
    phases: [
      ({ functions, scratch, floats, read, target, write, share }, [from = 0n, , gradient = 0n], [to = 0n]) => {
        floats.fill(-Infinity, (scratch + paddedAt) / 4, (scratch + paddedAt + padded) / 4);
        eachPart({ images, channels, pixels, width }, share, ({ image, channel, count, place }) => {
          const offset = (image * channels + channel) * places * 4;
          const dy = read(scratch + dyAt, gradient, { offset, bytes: count * places * 4 });
          const dx = target(scratch + dxAt, to, place);
          functions[source.name]?.(read(scratch, from, place), dy, dx, scratch + paddedAt, scratch + paddedAt + padded, count);
          write(to, dx, place);
        });
      },
    ],
  };
}

interface Windows extends Omit<PlaneWindow, "begin"> {
  readonly planes: PaddedPlanes;
  readonly bounds: Bounds | undefined;
}

/** (X's part, dY's part, dX's part, X's padded plane, dX's padded plane, channels) */
function gradientFunction(windows: Windows): FunctionSource {
  const { input, output, kernel, strides, dilations, planes, bounds } = windows;
  return {
    name: `max pool windows gradient ${[input, output, kernel, strides, dilations, planes.insideBytes].join(" ")} ${JSON.stringify(bounds)}`,
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [x, dy, dx, values, sums, channels] = code.take(6);
      const [mask, zero] = [masked(code, bounds), code.constant(0)];
      const row = code.local("i32"); // bytes from a plane's start to the windows' first row
      code.loop({ end: channels, step: 1 }, () => {
        copyPlane(code, { from: x, to: values, planes });
        code.loop({ end: planes.planeBytes, step: 16 }, (at) => code.store(code.int("add", sums, at), 0, zero));
        code.setInt(row, 0);
        code.loop({ end: output[0], step: 1 }, () => {
          const places = { values: code.int("add", values, row), sums: code.int("add", sums, row), dy: code.copy(dy) };
          const whole = Math.floor(output[1] / 4);
          if (whole > 0) {
            code.loop({ end: whole, step: 1 }, () => {
              addVector(code, { ...places, gradient: code.load(places.dy), mask }, windows);
              code.int("add", places.values, 16 * strides[1], places.values);
              code.int("add", places.sums, 16 * strides[1], places.sums);
              code.int("add", places.dy, 16, places.dy);
            });
          }
          // Windows after the row's end have no gradient.
          if (output[1] % 4 > 0) addVector(code, { ...places, gradient: code.loadFirst(places.dy, { count: output[1] % 4 }), mask }, windows);
          code.int("add", row, strides[0] * planes.rowBytes, row);
          code.int("add", dy, output[1] * 4, dy);
        });
        const inside = code.int("add", sums, planes.insideBytes);
        code.loop({ end: input[0], step: 1 }, () => {
          const count = Math.min(input[1], 4);
          for (const column of vectorColumns(input[1])) {
            code.storeFirst(dx, { offset: column * 4, count }, code.loadFirst(inside, { offset: column * 4, count }));
          }
          code.int("add", inside, planes.rowBytes, inside);
          code.int("add", dx, input[1] * 4, dx);
        });
        code.int("add", x, input[0] * input[1] * 4, x);
      });
    },
  };
}

interface VectorPlaces {
  readonly values: Local;
  readonly sums: Local;
  readonly gradient: Local;
  readonly mask: (gradient: Local, input: () => Local) => Local;
}

/** Four windows side by side: the first place that has the maximum is given the gradient. */
function addVector(code: FunctionBuilder, { values, sums, gradient, mask }: VectorPlaces, { kernel, strides, dilations, planes }: Windows): void {
  const offsets = Array.from({ length: kernel[0] * kernel[1] }, (_, place) => {
    return Math.floor(place / kernel[1]) * dilations[0] * planes.rowBytes + (place % kernel[1]) * dilations[1] * 4;
  });
  const load = (offset: number): Local => loadStrided(code, values, { offset, stride: strides[1] });
  const largest = offsets.reduce<Local | undefined>((most, offset) => (most ? code.vector("higher", [most, load(offset)]) : load(offset)), undefined);
  if (largest === undefined) return;
  const [left, zero] = [code.copy(mask(gradient, () => largest)), code.constant(0)];
  for (const [i, offset] of offsets.entries()) {
    const isFirst = i < offsets.length - 1 ? code.vector("equal", [load(offset), largest]) : undefined;
    const part = isFirst ? code.vector("and", [left, isFirst]) : left;
    if (strides[1] === 1) code.store(sums, offset, code.vector("add", [code.load(sums, offset), part]));
    else {
      for (const [half, places] of [[0, 4, 1, 4] as const, [2, 4, 3, 4] as const].entries()) {
        const at = offset + half * 16;
        code.store(sums, at, code.vector("add", [code.load(sums, at), code.shuffle(part, zero, places)]));
      }
    }
    if (isFirst) code.vector("andNot", [left, isFirst], left);
  }
}
