import { render } from "preact";
import { App } from "./app.tsx";
import { createDemo, type DemoSettings } from "./demo.ts";

const root = document.getElementById("app");
if (root !== null) {
  const { backend, epochs } = readSettings(new URLSearchParams(location.search));
  const worker = new Worker(new URL("./trainer.worker.ts", import.meta.url), { type: "module" });
  render(<App demo={createDemo(worker, { backend, epochs })} />, root);
}

/** `?backend=NAME` insists on a backend, `?epochs=N` trains for longer or shorter. */
function readSettings(query: URLSearchParams): DemoSettings {
  const epochs = Number(query.get("epochs") ?? "");
  return { backend: query.get("backend") ?? "auto", epochs: Number.isInteger(epochs) && epochs >= 1 && epochs <= 1000 ? epochs : 20 };
}
