import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { espalier, startEspalier, temporaryFolder, vegaData } from "../support/espalier.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const run = (...args: readonly string[]): ReturnType<typeof espalier> => espalier(args, { cwd: folder.path });
const weather = vegaData("seattle-weather.csv");

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

describe("Seattle's weather as a series", () => {
  it("forecasts a week better than the last value does, and shows both", async () => {
    const { code, json, stderr } = await run(
      "train",
      weather,
      "--target",
      "temp_max",
      "--time",
      "date",
      "--horizon",
      "7",
      "--json",
      "--out",
      "weather",
    );
    expect(code).toBe(0);
    expect(stderr).toContain('forecast of the next 7 values of "temp_max" after windows of 16 rows, from 4 columns');
    expect(json).toMatchObject({ ok: true, task: "regression", target: "temp_max", rows: { train: 1000, validation: 213, test: 214 } });
    const { metrics, baselines } = json as { metrics: { rmse: number }; baselines: Record<string, { rmse: number }> };
    expect(metrics.rmse).toBeLessThan(0.95 * (baselines["last-value"]?.rmse ?? 0));
    expect(stderr).toMatch(/last-value +4\.481/);
    // "As now" on the last 15 % of the days, computed here from the file.
    const highs = (await readFile(weather, "utf8"))
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => Number(line.split(",")[2]));
    const first = Math.floor(0.85 * highs.length);
    const errors = highs.slice(first - 1, -7).flatMap((now, i) => highs.slice(first + i, first + i + 7).map((next) => next - now));
    expect(baselines["last-value"]?.rmse).toBeCloseTo(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length), 3);
  });

  it("predicts what comes after the file's last rows, whatever their order, and evaluates on every window", async () => {
    const [header = "", ...rows] = (await readFile(weather, "utf8")).trimEnd().split("\n");
    await writeFile(join(folder.path, "recent.csv"), [header, ...rows.slice(-40).toReversed()].join("\n"));
    const { stdout } = await run("predict", "weather", "recent.csv");
    const [names, ...answers] = stdout.trimEnd().split("\r\n");
    expect(names).toBe("prediction,step,after_date");
    expect(answers).toHaveLength(7);
    expect(answers[6]).toMatch(/^[\d.]+,7,2015-12-31$/);
    expect((await run("predict", "weather", weather)).stdout).toBe(stdout);
    expect((await run("evaluate", "weather", "recent.csv", "--json")).json).toMatchObject({ ok: true, rows: 40 - 16 - 7 + 1 });
  });

  it("is served: the last values of each column in, the next ones out", async () => {
    const lines = (await readFile(weather, "utf8")).trimEnd().split("\n").slice(-16);
    const column = (place: number): number[] => lines.map((line) => Number(line.split(",")[place]));
    const server = startEspalier(["serve", "weather", "--port", "0"], folder.path);
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let text = "";
        server.stdout.on("data", (piece: string) => {
          text += piece;
          const found = /listening on (http:\S+)/.exec(text)?.[1];
          if (found !== undefined) resolve(found);
        });
        server.once("close", () => reject(new Error(`the server ended: ${text}`)));
      });
      const post = async (path: string, body: unknown): Promise<unknown> =>
        (await fetch(`${url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();
      const instance = { precipitation: column(1), temp_max: column(2), temp_min: column(3), wind: column(4) };
      const expected = (await run("predict", "weather", weather)).stdout
        .trimEnd()
        .split("\r\n")
        .slice(1)
        .map((line) => Number(line.split(",")[0]));
      const { predictions } = (await post("/v1/models/weather:predict", { instances: [instance, instance] })) as { predictions: number[][] };
      expect(predictions).toHaveLength(2);
      for (const [i, value] of expected.entries()) expect(predictions[1]?.[i]).toBeCloseTo(value, 3);
      const inputs = Object.entries(instance).map(([name, data]) => ({ name, datatype: "FP32", shape: [1, 16], data }));
      const answer = (await post("/v2/models/weather/infer", { inputs })) as { outputs: { shape: number[]; data: number[] }[] };
      expect(answer.outputs[0]).toMatchObject({ name: "prediction", shape: [1, 7], data: predictions[0] });
      const short = (await post("/v1/models/weather:predict", { instances: [{ ...instance, wind: [1, 2] }] })) as { error: string };
      expect(short.error).toMatch(/wind/);
    } finally {
      server.kill("SIGINT");
      await new Promise((resolve) => server.once("close", resolve));
    }
  });
});

describe("several series in one table", () => {
  it("are told apart by their column, and each is forecast", async () => {
    const wave = (shop: number, day: number): number => 50 * (shop + 1) + 10 * Math.sin((2 * Math.PI * (day + shop)) / 7);
    const rows = Array.from({ length: 240 }, (_, i) => {
      const [day, shop] = [Math.floor(i / 2), i % 2];
      return `${new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10)},${["north", "south"][shop]},${wave(shop, day).toFixed(3)}`;
    });
    await writeFile(join(folder.path, "sales.csv"), `day,shop,sold\n${rows.join("\n")}\n`);
    const args = ["train", "sales.csv", "--target", "sold", "--time", "day"];
    const alone = await run(...args);
    expect([alone.code, alone.stderr]).toEqual([
      2,
      expect.stringMatching(/DATA_MALFORMED: rows 1 and 2 have the same time 2024-01-01.*--group <column>/),
    ]);
    const { json, code } = await run(...args, "--group", "shop", "--horizon", "2", "--model", "linear", "--json", "--out", "sales");
    expect(code).toBe(0);
    const { metrics, baselines } = json as { metrics: { rmse: number }; baselines: Record<string, { rmse: number }> };
    expect(Object.keys(baselines)).toEqual(["last-value", "seasonal-naive (7)"]);
    expect(metrics.rmse).toBeLessThan(2);
    const lines = (await run("predict", "sales", "sales.csv")).stdout.trimEnd().split("\r\n");
    expect(lines[0]).toBe("prediction,step,after_shop,after_day");
    for (const [i, [shop, step]] of (
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const
    ).entries()) {
      const [value = "", number, name] = lines[i + 1]?.split(",") ?? [];
      expect([number, name]).toEqual([String(step + 1), ["north", "south"][shop]]);
      expect(Math.abs(Number(value) - wave(shop, 120 + step))).toBeLessThan(5);
    }
    await writeFile(join(folder.path, "short.csv"), `day,shop,sold\n${rows.slice(0, 4).join("\n")}\n`);
    const short = await run("predict", "sales", "short.csv");
    expect([short.code, short.stderr]).toEqual([
      2,
      expect.stringMatching(/DATA_EMPTY: series "north" has 2 rows; a forecast is made from the last \d+/),
    ]);
  });
});

it.each([
  ["an option of series without a time", ["--horizon", "3"], /--horizon is for time series; say which column holds the times: --time <column>/],
  ["a time column of text", ["--time", "weather"], /time column "weather", row 1: "drizzle" is not a time from year to second/],
  ["a network of other data", ["--time", "date", "--model", "conv-net"], /"conv-net" is for images, and this is a time series/],
  ["a window that is too long", ["--time", "date", "--window", "1400"], /1461 rows are too few for windows of 1400 rows and forecasts of 1/],
])("refuses %s", async (_, args, message) => {
  const { code, stderr } = await run("train", weather, "--target", "temp_max", ...args);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});
