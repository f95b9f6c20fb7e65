import type { JSX } from "preact";
import { DrawingCanvas } from "../../drawing/drawing-canvas.tsx";
import { PixelImage } from "../../drawing/pixel-image.tsx";
import { ProbabilityBars } from "../../drawing/probability-bars.tsx";
import type { Demo } from "./demo.ts";
import { full, side } from "./digits-data.ts";

const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** A canvas, what the network sees of it, and its answer. */
export function DrawPanel({ demo }: { readonly demo: Demo }): JSX.Element {
  const image = demo.drawn.value;
  const answer = demo.answer.value;
  const classes = answer?.classes ?? demo.heldOut.value?.answers.classes ?? digits;
  return (
    <section class="panel draw" aria-labelledby="draw-title">
      <h2 id="draw-title">Draw a digit</h2>
      <div class="easel">
        <div class="canvas">
          <DrawingCanvas strokes={demo.strokes.value} onDraw={(strokes) => (demo.strokes.value = strokes)} label="Draw a digit here" />
          {image === undefined && <p class="hint">Draw here with finger, pen or mouse</p>}
        </div>
        <div class="seen">
          <figure>
            <PixelImage values={image ?? []} height={side} width={side} full={full} label="The drawing as the network sees it" />
            <figcaption>What the network sees</figcaption>
          </figure>
          <p class="verdict" aria-live="polite">
            {answer === undefined ? (
              <span class="unknown">{image !== undefined && demo.heldOut.value === undefined ? "Not trained yet" : "?"}</span>
            ) : (
              <strong>{classes[answer.labels[0] ?? 0]}</strong>
            )}
          </p>
          <button type="button" disabled={image === undefined} onClick={() => (demo.strokes.value = [])}>
            Clear
          </button>
        </div>
      </div>
      <ProbabilityBars classes={classes} probabilities={answer?.probabilities} />
    </section>
  );
}
