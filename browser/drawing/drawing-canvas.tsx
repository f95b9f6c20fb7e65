import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import type { Point, Stroke } from "./rasterize.ts";

/** What a drawing canvas shows and whom it tells. */
export interface DrawingCanvasProps {
  readonly strokes: readonly Stroke[];
  /** Called at every move of the pen with all strokes so far. */
  readonly onDraw: (strokes: readonly Stroke[]) => void;
  readonly label: string;
}

/** The canvas's inner size; styles scale it. */
const size = 320;

/** A square to draw on with mouse, finger or pen. The strokes are the caller's: whoever empties them wipes the canvas. */
export function DrawingCanvas({ strokes, onDraw, label }: DrawingCanvasProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<Point[] | undefined>(undefined);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context) paint(context, strokes);
  }, [strokes]);
  const place = (event: PointerEvent): Point => {
    const box = (event.currentTarget as HTMLCanvasElement).getBoundingClientRect(); // the listener is the canvas's
    return { x: ((event.clientX - box.left) / box.width) * size, y: ((event.clientY - box.top) / box.height) * size };
  };
  return (
    <canvas
      ref={canvas}
      class="drawing"
      width={size}
      height={size}
      role="img"
      aria-label={label}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        drawing.current = [place(event)];
        onDraw([...strokes, [...drawing.current]]);
      }}
      onPointerMove={(event) => {
        if (drawing.current === undefined) return;
        drawing.current.push(place(event));
        onDraw([...strokes.slice(0, -1), [...drawing.current]]);
      }}
      onPointerUp={() => (drawing.current = undefined)}
      onPointerCancel={() => (drawing.current = undefined)}
    />
  );
}

function paint(context: CanvasRenderingContext2D, strokes: readonly Stroke[]): void {
  context.clearRect(0, 0, size, size);
  context.strokeStyle = getComputedStyle(context.canvas).color;
  context.lineWidth = size / 13;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    const [first] = stroke;
    if (first === undefined) continue;
    context.moveTo(first.x, first.y);
    // A dot is a line that goes nowhere.
    for (const { x, y } of stroke) context.lineTo(x, y + 0.01);
    context.stroke();
  }
}
