import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { deploy, type Deployment } from "../../server/node/deploy/index.ts";
import { findWrangler, runWrangler } from "../../server/node/deploy/wrangler.ts";
import { edgeLimits } from "../../server/index.ts";
import { requestSuite } from "../../server/testing/request-suite.ts";
import type { ServedModel } from "../edge/served-model.ts";
import { servedFixture } from "../support/served-fixture.ts";
import { trainServedModel } from "../support/served-model.ts";

interface Workerd {
  readonly url: string;
  stop(): Promise<void>;
}

let folder: string;
let bundle: string;
let model: ServedModel;
let built: Deployment;
let workerd: Workerd;

beforeAll(async () => {
  vi.stubEnv("CLOUDFLARE_CF_FETCH_ENABLED", "false");
  folder = await mkdtemp(join(tmpdir(), "espalier-deploy-"));
  bundle = join(folder, "penguins.safetensors");
  model = await trainServedModel();
  await writeFile(bundle, Buffer.from(model.bundle, "base64"));
  built = await deploy({ bundle, dryRun: true, out: join(folder, "worker") });
  workerd = await startWorkerd(built.folder);
});

afterAll(async () => {
  await workerd?.stop();
  await rm(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

/** Runs the deployed folder exactly as its wrangler.json says, in workerd, without Node's modules. */
async function startWorkerd(worker: string): Promise<Workerd> {
  const args = [
    "dev",
    "--config",
    "wrangler.json",
    "--ip",
    "127.0.0.1",
    "--port",
    "0",
    "--inspector-port",
    "0",
    "--show-interactive-dev-session=false",
  ];
  const stop = new AbortController();
  let said = "";
  let ended: Promise<unknown> = Promise.resolve();
  const url = await new Promise<string>((resolve, reject) => {
    const onOutput = (text: string): void => {
      said += text;
      const found = /Ready on (http:\/\/[\w.:]+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    };
    const running = runWrangler(findWrangler(process.cwd()), args, { folder: worker, signal: stop.signal, onOutput });
    ended = running.then(() => reject(new Error(`wrangler dev ended: ${said}`)), reject); // when it is stopped the address is long known
  });
  return {
    url,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

requestSuite("a deployed worker, in workerd", async () =>
  servedFixture(model, { fetch: (path, init) => fetch(`${workerd.url}${path}`, init), maxBodyBytes: edgeLimits.maxBodyBytes }),
);

describe("deploy", () => {
  it("makes a worker of at most 120 KB, compressed and without the model, in a folder that stands alone", async () => {
    expect(built).toMatchObject({
      target: "cloudflare",
      worker: "penguins",
      deployed: false,
      url: undefined,
      bundleBytes: Buffer.from(model.bundle, "base64").length,
    });
    expect(built.gzipBytes).toBeGreaterThan(10_000);
    expect(built.gzipBytes).toBeLessThanOrEqual(120_000);
    const code = await readFile(join(built.folder, "worker.js"), "utf8");
    expect(code).not.toMatch(/from\s*"(?!\.\/)/); // imports nothing but its own files
    expect(code).not.toMatch(/\bnew Function\b|\beval\(/);
    expect(code).not.toContain(folder);
  });

  it("replaces what it wrote, and nothing else", async () => {
    const again = await deploy({ bundle, dryRun: true, out: built.folder });
    expect(again.gzipBytes).toBe(built.gzipBytes);
    const foreign = join(folder, "foreign");
    await mkdir(foreign);
    await writeFile(join(foreign, "thesis.txt"), "mine");
    await expect(deploy({ bundle, dryRun: true, out: foreign })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("--out"),
    });
    expect(await readdir(foreign)).toEqual(["thesis.txt"]);
  });

  it("ends wrangler and leaves no folder behind when it is stopped", async () => {
    const stop = new AbortController();
    const out = join(folder, "stopped");
    const deploying = deploy({ bundle, dryRun: true, out, signal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(deploying).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(readdir(out)).rejects.toThrow("ENOENT");
  });

  it("passes on what wrangler says when there are no credentials", async () => {
    vi.stubEnv("CLOUDFLARE_API_TOKEN", undefined);
    vi.stubEnv("XDG_CONFIG_HOME", join(folder, "no-login"));
    vi.stubEnv("HOME", folder);
    await expect(deploy({ bundle, out: built.folder })).rejects.toMatchObject({
      code: "ARGUMENT_INVALID",
      message: expect.stringContaining("CLOUDFLARE_API_TOKEN"),
    });
  });

  it("names what is wrong with a bundle before anything is written", async () => {
    const out = join(folder, "never");
    await expect(deploy({ bundle: join(folder, "nothing"), dryRun: true, out })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    await expect(readdir(out)).rejects.toThrow("ENOENT");
  });
});
