import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { espalier, jsonToCsv, temporaryFolder, vegaData } from "../support/espalier.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "penguins.csv"), await jsonToCsv(vegaData("penguins.json")));
});
afterAll(() => folder.remove());

const run = (...args: readonly string[]): ReturnType<typeof espalier> => espalier(args, { cwd: folder.path });
const place = (name: string): string => join(folder.path, name);

/** Numbers that look random and are the same in every run. */
function* noise(): Generator<number, never> {
  for (let state = 1; ; state = (state * 48271) % 2147483647) yield state / 2147483647;
}

describe("penguins, from the file to predictions", () => {
  it("trains with no other argument than the target, and reports held-out metrics", async () => {
    const { code, json, stderr } = await run("train", "penguins.csv", "--target", "Species", "--json");
    expect(code).toBe(0);
    expect(json).toMatchObject({
      ok: true,
      run: expect.any(String),
      bundle: "penguins-Species",
      task: "classification",
      target: "Species",
      model: expect.stringMatching(/^(linear|network)$/),
      backend: expect.any(String),
      rows: { train: 241, validation: 52, test: 51 },
      seconds: expect.any(Number),
    });
    const { metrics } = json as { metrics: Record<string, number> };
    expect(Object.keys(metrics).toSorted()).toEqual(["accuracy", "logLoss", "macroF1"]);
    expect(metrics["accuracy"]).toBeGreaterThan(0.95);
    expect(stderr).toMatch(/epoch 1\/\d+ {2}loss [\d.]+ .*rows\/s {2}ETA/);
  });

  it("predicts every row as CSV and evaluates to the same accuracy", async () => {
    const predicted = await run("predict", "penguins-Species", "penguins.csv", "--out", "predictions.csv", "--json");
    expect(predicted.json).toEqual({ ok: true, rows: 344, out: "predictions.csv" });
    const [header, ...rows] = (await readFile(place("predictions.csv"), "utf8")).trimEnd().split("\r\n");
    expect(header).toBe("prediction,probability_Adelie,probability_Chinstrap,probability_Gentoo");
    const truth = (JSON.parse(await readFile(vegaData("penguins.json"), "utf8")) as { Species: string }[]).map((row) => row.Species);
    const right = rows.filter((row, i) => row.split(",")[0] === truth[i]).length;
    const evaluated = await run("evaluate", "penguins-Species", "penguins.csv", "--json");
    expect(evaluated.json).toMatchObject({ ok: true, rows: 344, metrics: { accuracy: right / 344 } });
    for (const row of rows) {
      const sum = row
        .split(",")
        .slice(1)
        .reduce((total, value) => total + Number(value), 0);
      expect(Math.abs(sum - 1)).toBeLessThan(1e-5);
    }
    // Without --out the same CSV is on stdout, and nothing else.
    expect((await run("predict", "penguins-Species", "penguins.csv")).stdout).toBe(await readFile(place("predictions.csv"), "utf8"));
  });

  it("trains in mixed precision to the same quality, and says which precisions there are", async () => {
    const elsewhere = await temporaryFolder(); // the runs of this one are counted
    try {
      const args = ["train", place("penguins.csv"), "--target", "Species", "--precision", "mixed_float16", "--json"];
      const { code, json } = await espalier(args, { cwd: elsewhere.path });
      expect(code).toBe(0);
      expect((json as { metrics: Record<string, number> }).metrics["accuracy"]).toBeGreaterThan(0.95);
    } finally {
      await elsewhere.remove();
    }
    const refused = await run("train", "penguins.csv", "--target", "Species", "--precision", "float16");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/float32, mixed_float16/);
  });

  it("predicts rows without the target, with values never seen and with missing ones", async () => {
    const header = "Sex,Island,Beak Length (mm),Beak Depth (mm),Flipper Length (mm),Body Mass (g),colour";
    await writeFile(place("new.csv"), `${header}\r\nUNHEARD OF,Atlantis,50,15,220,5000,red\r\n,Biscoe,,,,,\r\n`);
    const { code, stdout } = await run("predict", "penguins-Species", "new.csv");
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\r\n")).toHaveLength(3);
    expect(stdout).toMatch(/\r\nGentoo,/);
  });

  it("shows the bundle and the data", async () => {
    const bundle = await run("inspect", "penguins-Species", "--json");
    expect(bundle.json).toMatchObject({
      ok: true,
      kind: "bundle",
      task: "classification",
      target: "Species",
      lineage: { seed: 0, data: { rows: 344 } },
    });
    expect((bundle.json as { inputs: { name: string }[] }).inputs.map(({ name }) => name)).toContain("Beak Length (mm)");
    const data = await run("inspect", "penguins.csv", "--json");
    expect(data.json).toMatchObject({
      ok: true,
      kind: "data",
      rows: 344,
      columns: { Sex: { kind: "string", missing: 10 }, "Body Mass (g)": { kind: "number", min: 2700, max: 6300 } },
    });
  });

  it("writes logs of each model where asked", async () => {
    const elsewhere = await temporaryFolder();
    try {
      const args = ["train", place("penguins.csv"), "--target", "Species", "--epochs", "2", "--logs", "logs"];
      expect(await espalier(args, { cwd: elsewhere.path })).toMatchObject({ code: 0 });
      for (const model of ["linear", "network"]) {
        const files = await readdir(join(elsewhere.path, "logs", model));
        expect(files.filter((name) => name.startsWith("events.out.tfevents."))).toHaveLength(1);
        const table = await readFile(join(elsewhere.path, "logs", model, "epochs.csv"), "utf8");
        expect(table.trimEnd().split("\n")).toHaveLength(3);
        expect(table).toMatch(/^epoch,step,rows,loss,learningRate,validation\.loss,validation\.accuracy\n1,/);
      }
    } finally {
      await elsewhere.remove();
    }
  });

  it("profiles a prediction and a training step, and writes a trace", async () => {
    const predicting = await run("profile", "penguins-Species", "--rows", "8", "--runs", "2");
    expect(predicting.code).toBe(0);
    expect(predicting.stdout).toMatch(/batch 8, on /);
    const training = await run("profile", "penguins-Species", "--training", "--trace", "step.json", "--json");
    expect(training.json).toMatchObject({
      ok: true,
      batch: 32,
      trace: "step.json",
      memory: { total: expect.any(Number) },
      flops: expect.any(Number),
    });
    const { traceEvents } = JSON.parse(await readFile(place("step.json"), "utf8")) as { traceEvents: { cat?: string }[] };
    const phases = new Set(traceEvents.map(({ cat }) => cat));
    for (const phase of ["forward", "backward", "update"]) expect(phases).toContain(phase);
    expect(await run("profile", "penguins-Species", "--rows", "0")).toMatchObject({ code: 2 });
    const nowhere = await run("profile", "penguins-Species", "--trace", "no/such/folder/step.json");
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot write no/such/folder/step.json") });
  });

  it("records the run, and repeats it bit for bit", async () => {
    const listed = await run("runs", "list", "--json");
    const { runs } = listed.json as { runs: { id: string; status: string }[] };
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ status: "finished", parameters: { target: "Species", seed: 0 }, data: { rows: 344 } });
    const shown = await run("runs", "show", runs[0]!.id.slice(0, 17), "--json");
    expect((shown.json as { history: unknown[] }).history.length).toBeGreaterThan(10);
    const repeated = await run("runs", "reproduce", runs[0]!.id, "--json", "--quiet");
    expect(repeated.json).toMatchObject({ ok: true, reproduces: runs[0]!.id, identical: true });
    expect(repeated.stderr.trim().split("\n").at(-1)).toContain("bit for bit");
  });

  it("leaves no checkpoint of a run that went well, and nothing half-written", async () => {
    const left = (await readdir(folder.path, { recursive: true })).filter((name) => /checkpoint|\.tmp|\.old|\.[0-9a-f-]{36}$/.test(name));
    expect(left).toEqual([]);
  });
});

describe("other tables", () => {
  it("chooses the batch size by the memory it is given, says why, and repeats the run with it", async () => {
    const automatic = ["--batch-size", "auto", "--epochs", "2", "--quiet", "--json", "--out", "sized"];
    const { code, json } = await run("train", "penguins.csv", "--target", "Species", ...automatic, "--memory", "140kB");
    expect(code).toBe(0);
    const { run: id } = json as { run: string };
    const shown = (await run("runs", "show", id, "--json")).json as { run: { parameters: object; batchSizes: Record<string, number> } };
    expect(shown.run.parameters).toMatchObject({ batchSize: "auto", memoryBytes: 140_000 });
    expect(shown.run.batchSizes).toMatchObject({ linear: 16, network: expect.any(Number) }); // the larger model gets smaller batches
    expect(shown.run.batchSizes["network"]).toBeLessThan(16);
    expect((await run("runs", "reproduce", id, "--json", "--quiet")).json).toMatchObject({ identical: true });
    const loud = await run("train", "penguins.csv", "--target", "Species", ...automatic.filter((word) => word !== "--quiet"));
    expect(loud.stderr).toMatch(/batches of 16 rows: a step needs about [\d.]+ kB of [\d.]+ GB, and larger batches would leave an epoch of 241 rows/);
    const alone = await run("train", "penguins.csv", "--target", "Species", "--memory", "1GB");
    expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining("add --batch-size auto") });
    const unit = await run("train", "penguins.csv", "--target", "Species", "--batch-size", "auto", "--memory", "1 parsec");
    expect(unit).toMatchObject({ code: 2, stderr: expect.stringContaining("such as 500MB or 2GiB") });
  });

  it("keeps the linear model when the network diverges, says where and what to do, and records it", async () => {
    const { code, json, stderr } = await run(
      "train",
      "penguins.csv",
      "--target",
      "Species",
      "--learning-rate",
      "1e10",
      "--epochs",
      "5",
      "--json",
      "--out",
      "steep",
    );
    expect(code).toBe(0);
    const place = { model: "network", step: expect.any(Number), epoch: 1, learningRate: expect.any(Number), node: "Adam" };
    expect(json).toMatchObject({ ok: true, model: "linear", diverged: [place] });
    expect(stderr).toMatch(/note: the network model diverged in step \d+ of epoch 1, at learning rate \d+.*; give it a smaller --learning-rate/);
    expect((await run("predict", "steep", "penguins.csv")).code).toBe(0);
    const { run: id } = json as { run: string };
    const shown = await run("runs", "show", id, "--json");
    expect(shown.json).toMatchObject({ run: { status: "finished", model: "linear", diverged: [place] } });
    expect((await run("runs", "show", id)).stdout).toMatch(/network diverged in step \d+ of epoch 1/);
    const alone = await run("train", "penguins.csv", "--target", "Species", "--learning-rate", "1e10", "--epochs", "5", "--model", "network");
    expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining("error LOSS_NOT_FINITE") });
  });

  it("learns a table with dates, weather", async () => {
    const { code, json, stderr } = await run(
      "train",
      vegaData("seattle-weather.csv"),
      "--target",
      "weather",
      "--json",
      "--out",
      "weather.safetensors",
    );
    expect(code).toBe(0);
    expect(json).toMatchObject({ bundle: "weather.safetensors", task: "classification" });
    expect((json as { metrics: { accuracy: number } }).metrics.accuracy).toBeGreaterThan(0.75); // the most frequent class is 0.49
    expect(stderr).toContain("from 5 columns");
    expect((await stat(place("weather.safetensors"))).isFile()).toBe(true);
    expect((await run("evaluate", "weather.safetensors", vegaData("seattle-weather.csv"), "--json")).json).toMatchObject({ ok: true, rows: 1461 });
  });

  it("learns a quantity, cars' consumption", async () => {
    await writeFile(place("cars.csv"), await jsonToCsv(vegaData("cars.json")));
    const { json, stderr } = await run("train", "cars.csv", "--target", "Miles_per_Gallon", "--json", "--seed", "3");
    expect(json).toMatchObject({ task: "regression", rows: { train: 278 } });
    const { metrics } = json as { metrics: Record<string, number> };
    expect(Object.keys(metrics).toSorted()).toEqual(["mae", "r2", "rmse"]);
    expect(metrics["r2"]).toBeGreaterThan(0.75);
    expect(stderr).toContain("8 rows are left out: the target is missing");
    expect((await run("predict", "cars-Miles_per_Gallon", "cars.csv")).stdout).toMatch(/^prediction\r\n[\d.]+\r\n/);
  });

  it("learns a table without a header from gzip, with two classes and several files", async () => {
    const random = noise();
    const rows = Array.from({ length: 600 }, () => {
      const [x, y] = [random.next().value, random.next().value];
      return `${x.toFixed(4)};${y.toFixed(4)};${x + y > 1 ? 1 : 0}`;
    });
    await writeFile(place("a.txt"), rows.slice(0, 300).join("\n"));
    await writeFile(place("b.csv.gz"), gzipSync(rows.slice(300).join("\r\n")));
    const { json } = await run("train", "a.txt", "b.csv.gz", "--target", "column_3", "--json", "--model", "network", "--quiet");
    expect(json).toMatchObject({ task: "classification", model: "network", rows: { train: 420 } });
    const { metrics } = json as { metrics: Record<string, number> };
    expect(Object.keys(metrics).toSorted()).toEqual(["accuracy", "auc", "logLoss"]);
    expect(metrics["accuracy"]).toBeGreaterThan(0.93);
    expect(metrics["auc"]).toBeGreaterThan(0.98);
  });

  it("beats the linear floor where the truth is not linear, and says so", async () => {
    const random = noise();
    const rows = Array.from({ length: 800 }, () => {
      const [x, y] = [2 * random.next().value - 1, 2 * random.next().value - 1];
      return JSON.stringify({ x, y, inside: x * x + y * y < 0.6 });
    });
    await writeFile(place("circle.jsonl"), rows.join("\n"));
    const { stdout, code } = await run("train", "circle.jsonl", "--target", "inside");
    expect(code).toBe(0);
    expect(stdout).toMatch(/network \* +0\.9/);
    expect(stdout).toContain("it beats the linear model");
    expect(stdout).toContain("wrote circle-inside; serve it with: espalier serve circle-inside");
  });
});
