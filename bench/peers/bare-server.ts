import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { InferenceSession, Tensor } from "onnxruntime-node";

// The least that answers a model over HTTP on Node: node bare-server.ts <model.onnx> <port>.
// POST /predict {"<input>": {"shape": [rows, ...], "data": [...]}} answers {"<output>": {"shape": [...], "data": [...]}}.
const [file = "", port = "0"] = process.argv.slice(2);
const session = await InferenceSession.create(file);
const app = new Hono();

app.post("/predict", async (context) => {
  const body = await context.req.json<Record<string, { shape: number[]; data: number[] }>>();
  const feeds = Object.fromEntries(Object.entries(body).map(([name, { shape, data }]) => [name, new Tensor("float32", data, shape)]));
  const results = await session.run(feeds);
  return context.json(
    Object.fromEntries(Object.entries(results).map(([name, { dims, data }]) => [name, { shape: dims, data: Array.from(data as Float32Array) }])),
  );
});

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(port) }, ({ port: bound }) => console.log(`listening on http://127.0.0.1:${bound}`));
