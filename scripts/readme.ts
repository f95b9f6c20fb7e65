import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

// Runs the README's quick start as it stands: every line of its ```sh blocks that is marked by the comment line `# try` before it.
// A guide that no longer works fails the build.
const root = join(import.meta.dirname, "..");
const run = promisify(execFile);
const readme = await readFile(join(root, "README.md"), "utf8");
const commands = [...readme.matchAll(/```sh\n# try\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
  block.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#")),
);
if (commands.length === 0) throw new Error("README.md has no ```sh block that starts with # try");
for (const command of commands) {
  const start = performance.now();
  await run("bash", ["-euc", command], { cwd: root, timeout: 120_000 }).catch((cause: unknown) => {
    const { stdout = "", stderr = "" } = Object(cause) as { stdout?: string; stderr?: string };
    throw new Error(`README.md: this command failed: ${command}\n${stdout}${stderr}`, { cause });
  });
  process.stdout.write(`${Math.round(performance.now() - start)} ms  ${command}\n`);
}
process.stdout.write(`${commands.length} commands of README.md work\n`);
