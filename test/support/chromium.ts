import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium, type Browser, type Page } from "playwright-core";

/** How a Chromium for tests is opened. */
export interface ChromiumOptions {
  /** Whether pages see a (software) WebGPU adapter; without it `navigator.gpu.requestAdapter()` answers null. Default false. */
  readonly webgpu?: boolean;
  /** Whether pages get a (software) WebGL context. Default true. */
  readonly webgl?: boolean;
}

/**
 * A headless Chromium from npm packages alone: no browser, library or font of the machine is used.
 *
 * The binary of `@sparticuz/chromium` is made for a bare Amazon Linux and brings the shared libraries that such a machine lacks; both are unpacked once
 * per version below the system's temporary folder.
 *
 * @see https://github.com/Sparticuz/chromium
 */
export async function openChromium({ webgpu = false, webgl = true }: ChromiumOptions = {}): Promise<Browser> {
  const folder = await unpackChromium();
  const fontsFile = await writeFontsFile(folder);
  return await chromium.launch({
    executablePath: join(folder, "chromium"),
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-zygote",
      "--ignore-gpu-blocklist",
      ...(webgl ? ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] : ["--disable-gpu", "--disable-webgl"]),
      ...(webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : []),
    ],
    env: {
      ...definedEnvironment(),
      HOME: folder,
      // In the C locale navigator.language is "en-US@posix", which Intl refuses.
      LC_ALL: "en_US.UTF-8",
      FONTCONFIG_FILE: fontsFile,
      LD_LIBRARY_PATH: [join(folder, "al2023", "lib"), folder, process.env["LD_LIBRARY_PATH"] ?? ""].filter((path) => path !== "").join(":"),
    },
  });
}

/** What a page said that a healthy page does not say: console errors, uncaught exceptions, failed and foreign requests. */
export function watchPage(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()} ${request.failure()?.errorText ?? ""}`));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") complaints.push(`foreign request: ${request.url()}`);
  });
  return complaints;
}

/** Chromium, its libraries and the software renderers, below the temporary folder. Unpacks into a folder of its own and renames it at the end, so that test files that start at the same moment never see half a binary. */
export async function unpackChromium(): Promise<string> {
  const manifest = createRequire(import.meta.url)
    .resolve("@sparticuz/chromium")
    .replace(/build\/index\.js$/, "package.json");
  const { version } = createRequire(import.meta.url)(manifest) as { version: string }; // an npm manifest always has it
  const folder = join(tmpdir(), `espalier-chromium-${version}`);
  if (existsSync(folder)) return folder;
  const staging = await mkdtemp(`${folder}-`);
  // The package unpacks below TMPDIR, and its shared libraries only where it takes the machine for a Lambda.
  await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", 'import chromium from "@sparticuz/chromium"; await chromium.executablePath();'],
    { cwd: import.meta.dirname, env: { ...process.env, TMPDIR: staging, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x" } },
  );
  try {
    await rename(staging, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(staging, { recursive: true, force: true }); // another process was first
  }
  return folder;
}

/** The package's own fonts.conf looks for its fonts where a Lambda has them: elsewhere every text would be invisible and without a width. */
async function writeFontsFile(folder: string): Promise<string> {
  const path = join(folder, "fonts", "here.conf");
  if (existsSync(path)) return path;
  const lines = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    `<fontconfig><dir prefix="relative">fonts</dir><cachedir>${join(folder, "fonts-cache")}</cachedir></fontconfig>`,
  ];
  await writeFile(`${path}.${process.pid}`, lines.join("\n"));
  await rename(`${path}.${process.pid}`, path);
  return path;
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
