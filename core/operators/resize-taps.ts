/** How one axis is resized. */
export interface AxisResize {
  readonly size: number;
  readonly length: number;
  /** Output elements for each input element: length / size, unless scales were given that do not divide evenly. */
  readonly scale: number;
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates: string;
  /** Of the nearest mode. */
  readonly nearest: string;
  /** The cubic kernel's a. */
  readonly cubicCoefficient: number;
  /** Whether weights of places outside are 0, and the others scaled up. */
  readonly excludeOutside: boolean;
  /** Whether downsampling widens the kernel by the scale, so that it filters. */
  readonly antialias: boolean;
}

/** What an output element is: a weighted sum of input elements. */
export interface Tap {
  readonly place: number;
  readonly weight: number;
}

/**
 * For each output element of an axis, the input elements that it is made of; places beyond the ends are those of the edges.
 *
 * @see https://onnx.ai/onnx/operators/onnx__Resize.html
 */
export function resizeTaps(axis: AxisResize): readonly (readonly Tap[])[] {
  return Array.from({ length: axis.length }, (_, i) => {
    const at = sourceCoordinate(axis, i);
    if (axis.mode === "nearest") return [{ place: clamp(nearestPlace(at, axis.nearest), axis.size), weight: 1 }];
    return kernelTaps(axis, at);
  });
}

function sourceCoordinate({ size, length, scale, coordinates }: AxisResize, i: number): number {
  switch (coordinates) {
    case "align_corners":
      return length === 1 ? 0 : (i * (size - 1)) / (length - 1);
    case "asymmetric":
      return i / scale;
    case "pytorch_half_pixel":
      return length > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case "half_pixel_symmetric": {
      // The middle stays in the middle when scale * size was rounded down.
      const adjustment = length / (scale * size);
      return (size / 2) * (1 - adjustment) + (i + 0.5) / scale - 0.5;
    }
    default:
      return (i + 0.5) / scale - 0.5;
  }
}

function nearestPlace(at: number, rounding: string): number {
  switch (rounding) {
    case "round_prefer_ceil":
      return Math.floor(at + 0.5);
    case "floor":
      return Math.floor(at);
    case "ceil":
      return Math.ceil(at);
    default:
      return Math.ceil(at - 0.5);
  }
}

function kernelTaps(axis: AxisResize, at: number): readonly Tap[] {
  const { size, mode, cubicCoefficient: a } = axis;
  const stretch = axis.antialias && axis.scale < 1 ? axis.scale : 1;
  const reach = (mode === "linear" ? 1 : 2) / stretch;
  const kernel = mode === "linear" ? triangle : (distance: number): number => cubic(distance, a);
  const first = Math.ceil(at - reach);
  const taps: Tap[] = [];
  for (let place = first; place <= Math.floor(at + reach); place += 1) {
    const inside = place >= 0 && place < size;
    const weight = kernel((place - at) * stretch);
    if (weight !== 0 && (inside || !axis.excludeOutside)) taps.push({ place: clamp(place, size), weight });
  }
  const total = taps.reduce((sum, { weight }) => sum + weight, 0);
  return axis.excludeOutside || stretch !== 1 ? taps.map(({ place, weight }) => ({ place, weight: weight / total })) : taps;
}

function triangle(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance));
}

/** Keys' cubic convolution. @see https://ieeexplore.ieee.org/document/1163711 */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

function clamp(place: number, size: number): number {
  return Math.min(Math.max(place, 0), size - 1);
}
