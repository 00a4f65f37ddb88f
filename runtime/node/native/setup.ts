// Sets up native: tfjs-node with TensorFlow's library, in a folder of its own. The library comes by tfjs-node's own
// installation, or out of TensorFlow's Python package where that does not work.

import { homedir } from "node:os";
import { resolve } from "node:path";
import { nativeFolder } from "../../../backends/cache-folder.ts";
import { FrondError } from "../../../compiler/diagnostics/error.ts";
import { report } from "../../../compiler/diagnostics/report.ts";
import { compileBinding } from "./binding.ts";
import { check } from "./check.ts";
import { replacing, sizeOf } from "./folder.ts";
import { cleanPackage, installPackages, ownInstallation, tfjsNode } from "./packages.ts";
import { compiler, pip } from "./tools.ts";
import { takeLibrary, wheelFor } from "./wheel.ts";
import { failed, type Machine, megabytes, type Work } from "./work.ts";

export const thisMachine = (env: Machine["env"]): Machine => ({
  env,
  platform: process.platform,
  arch: process.arch,
  glibc: process.platform !== "linux" || hasGlibc(),
  cwd: process.cwd(),
  node: process.execPath,
  home: homedir,
});

function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime !== undefined;
}

/** Does nothing where one loads already. Throws a FrondError where it cannot be done; nothing has changed then. */
export async function setUpNative(work: Work): Promise<void> {
  const { machine, say } = work;
  const there = await check(work);
  if (there.available) {
    say("there", `${there.detail}, in ${there.folder}`);
    return;
  }
  const folder = destination(machine);
  say("into", folder);
  const started = performance.now();
  await replacing(folder, temporary => install(work, temporary));
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  say("ready", `in ${seconds} s, ${megabytes(sizeOf(folder))}; to be rid of it, delete the folder`);
}

function destination(machine: Machine): string {
  try {
    return resolve(machine.cwd, nativeFolder(machine));
  } catch {
    throw failed("choosing a folder", "this user has no home", ["FROND_NATIVE=FOLDER says where"]);
  }
}

async function install(work: Work, folder: string): Promise<void> {
  const { machine, say } = work;
  say("packages", `${tfjsNode.name} ${tfjsNode.version} with npm ...`);
  await installPackages(work, folder);
  say("packages", `${megabytes(sizeOf(folder))} with all that it depends on`);
  say("library", "trying tfjs-node's own download ...");
  const problem = await tryOwn(work, folder);
  if (problem === null) return;
  say("library", `that does not work here (${problem})`);
  const wheel = wheelFor(machine);
  if (wheel === null) throw impossible(machine, problem);
  // Both before anything large is downloaded.
  const tools = { pip: await pip(work), compiler: await compiler(work) };
  cleanPackage(folder);
  await takeLibrary(work, folder, wheel, tools.pip);
  await compileBinding(work, folder, tools.compiler);
  const checked = await check(work, folder);
  if (!checked.available) throw failed("multiplying two matrices", checked.reason, [checked.remedy]);
  say("check", `${checked.detail} multiplies two matrices`);
}

/** Null where it works. */
async function tryOwn(work: Work, folder: string): Promise<string | null> {
  const problem = await ownInstallation(work, folder);
  if (problem !== null) return problem;
  const checked = await check(work, folder);
  if (!checked.available) return checked.reason;
  work.say("check", `${checked.detail} multiplies two matrices`);
  return null;
}

function impossible({ platform, arch, glibc }: Machine, problem: string): FrondError {
  const where = `${platform}-${arch}${glibc ? "" : " with musl"}`;
  const reason = `tfjs-node's own installation does not work here (${problem})`;
  const help = [
    `install it where its download works, with \`npm install ${tfjsNode.name}@${tfjsNode.version}\``,
    "and set FROND_NATIVE to the folder that holds its node_modules",
  ];
  return new FrondError([report("F0910", { platform: where, reason }, null, { help })]);
}
