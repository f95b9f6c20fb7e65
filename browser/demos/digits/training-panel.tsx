import type { JSX } from "preact";
import { CurvesChart } from "./curves-chart.tsx";
import type { Demo } from "./demo.ts";

/** Start, pause, go on, keep; how far training is; the chart. */
export function TrainingPanel({ demo }: { readonly demo: Demo }): JSX.Element {
  const { epoch, epochs, share, rate } = demo.progress.value;
  const heldOut = demo.heldOut.value;
  const losses = demo.curves.value.losses;
  return (
    <section class="panel training" aria-labelledby="training-title">
      <h2 id="training-title">Training</h2>
      <Buttons demo={demo} />
      <p class="status" role="status">
        {statusText(demo)}
      </p>
      <progress value={demo.phase.value === "finished" ? 1 : share} max={1} aria-label="Training progress" />
      <dl class="figures">
        <Figure name="Epoch" value={epoch === 0 ? "–" : `${epoch} / ${epochs}`} />
        <Figure name="Loss" value={losses.length === 0 ? "–" : (losses.at(-1) ?? 0).toFixed(3)} />
        <Figure name="Held-out accuracy" value={heldOut === undefined ? "–" : `${((heldOut.metrics["accuracy"] ?? 0) * 100).toFixed(1)}%`} />
        <Figure name="Rows per second" value={rate === undefined ? "–" : Math.round(rate).toLocaleString("en")} />
      </dl>
      <CurvesChart curves={demo.curves.value} />
      <BackendNote demo={demo} />
    </section>
  );
}

function Buttons({ demo }: { readonly demo: Demo }): JSX.Element {
  const phase = demo.phase.value;
  const running = phase === "training" || phase === "paused";
  return (
    <div class="buttons">
      {running ? (
        <>
          {phase === "paused" ? (
            <button type="button" class="primary" onClick={demo.resume}>
              Resume
            </button>
          ) : (
            <button type="button" class="primary" onClick={demo.pause}>
              Pause
            </button>
          )}
          <button type="button" onClick={demo.stop}>
            Stop
          </button>
        </>
      ) : (
        <button type="button" class="primary" disabled={phase === "loading" || phase === "starting"} onClick={demo.start}>
          {phase === "finished" ? "Train again" : "Start training"}
        </button>
      )}
      <button type="button" disabled={demo.heldOut.value === undefined} onClick={() => void demo.download()}>
        Download bundle
      </button>
    </div>
  );
}

function statusText(demo: Demo): string {
  const heldOut = demo.heldOut.value;
  switch (demo.phase.value) {
    case "loading":
      return "Loading the digits …";
    case "ready":
      return "Ready.";
    case "starting":
      return "Choosing what to compute on …";
    case "training":
      return "Training.";
    case "paused":
      return "Paused. The model stays as it is until you resume.";
    case "finished":
      return heldOut === undefined
        ? "Finished."
        : `Finished: ${((heldOut.metrics["accuracy"] ?? 0) * 100).toFixed(1)}% of ${heldOut.truth.length} digits that it never saw are read correctly.`;
    case "failed":
      return `That did not work: ${demo.error.value ?? "for an unknown reason"}`;
    default:
      return demo.phase.value satisfies never;
  }
}

function Figure({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function BackendNote({ demo }: { readonly demo: Demo }): JSX.Element {
  const backend = demo.backend.value;
  if (backend === undefined) return <p class="backend">It computes on WebGPU where the browser has it, else on WebGL or WebAssembly.</p>;
  const { name, device, reason } = backend;
  const known = `${name} on ${device}`;
  return (
    <p class="backend">
      <span class="badge">{name}</span> on {device} {reason.startsWith(known) ? reason.slice(known.length) : "(as asked)"}
    </p>
  );
}
