import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";

/** An image as a model sees it. */
export interface PixelImageProps {
  /** Row by row, 0 to `full`. */
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly full: number;
  readonly label: string;
}

/** A few pixels, each a square in the page's ink colour. */
export function PixelImage({ values, height, width, full, label }: PixelImageProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.clearRect(0, 0, width, height);
    context.fillStyle = getComputedStyle(context.canvas).color;
    for (let i = 0; i < height * width; i++) {
      context.globalAlpha = Math.min(1, Math.max(0, (values[i] ?? 0) / full));
      context.fillRect(i % width, Math.floor(i / width), 1, 1);
    }
  }, [values, height, width, full]);
  return <canvas ref={canvas} class="pixels" width={width} height={height} role="img" aria-label={label} />;
}
