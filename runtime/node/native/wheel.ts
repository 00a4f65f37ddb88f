// TensorFlow's library out of its Python package: a wheel is a zip file, so any Python's will do, and none is installed.
// pip fetches it, from the index that the user has configured.

import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { packageIn } from "./packages.ts";
import type { Program } from "./run.ts";
import { failed, type Machine, megabytes, programFailed, type Work } from "./work.ts";

export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** pip's name for the machine. */
  readonly platform: string;
  readonly bytes: number;
}

/**
 * The smallest ones with libtensorflow_cc and the headers of its C interface: 2.12 to 2.21 all have them and work with
 * tfjs-node 4.22, equally fast. macOS's wheels have other names in them, and nobody has tried those.
 */
const wheels: Readonly<Record<string, Wheel>> = {
  "linux-x64": {
    name: "tensorflow-cpu",
    version: "2.13.1",
    platform: "manylinux2014_x86_64",
    bytes: 186_551_083,
  },
  "linux-arm64": {
    name: "tensorflow-cpu-aws",
    version: "2.13.1",
    platform: "manylinux2014_aarch64",
    bytes: 248_769_269,
  },
};

/** Null where there is none for this machine. */
export const wheelFor = ({ platform, arch, glibc }: Machine): Wheel | null =>
  glibc ? (wheels[`${platform}-${arch}`] ?? null) : null;

/**
 * Streams what is wanted of a wheel (the first argument) into `lib` and `include` of a folder (the second). Libraries in
 * `NAME.libs` are those that the others were built with. The headers are those of the C interface and what it includes.
 */
const unpackScript = `
import os, re, shutil, sys, zipfile
wheel, folder = sys.argv[1:]
headers = r"tensorflow/(include/(?:tensorflow/(?:c|core/platform|tsl)|tsl)/.*\\.h)"
libraries = r"(?:tensorflow|[^/]*\\.libs)/(lib[^/]*\\.so[^/]*)"
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        header = re.fullmatch(headers, entry.filename)
        library = re.fullmatch(libraries, entry.filename)
        if not header and not library:
            continue
        path = os.path.join(folder, header[1] if header else os.path.join("lib", library[1]))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(entry) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
`;

/** Fills tfjs-node's `deps` as its own installation would. */
export async function takeLibrary(
  { run, say }: Work,
  folder: string,
  wheel: Wheel,
  pip: Program,
): Promise<void> {
  say("library", `${wheel.name} ${wheel.version} with pip, ${megabytes(wheel.bytes)} to download ...`);
  const store = join(folder, "wheel");
  mkdirSync(store);
  // pip keeps what it downloads in TMPDIR first, which may be small.
  const fetched = await run(pip, pipArguments(wheel, store), { env: { TMPDIR: store } });
  if (!fetched.ok) throw fetchFailed(wheel, fetched);
  const file = readdirSync(store).find(name => name.endsWith(".whl"));
  if (file === undefined) throw failed("downloading the library", "pip left no wheel");
  const deps = join(packageIn(folder), "deps");
  const python = { file: pip.file, first: [] };
  const unpacked = await run(python, ["-c", unpackScript, join(store, file), deps]);
  if (!unpacked.ok) throw programFailed("unpacking the library", unpacked);
  rmSync(store, { recursive: true });
  const lib = join(deps, "lib");
  const bytes = readdirSync(lib).reduce((sum, name) => sum + statSync(join(lib, name)).size, 0);
  say("library", `${megabytes(bytes)} unpacked`);
}

const pipArguments = ({ name, version, platform }: Wheel, folder: string): readonly string[] => [
  "download",
  "--quiet",
  "--no-input",
  "--disable-pip-version-check",
  "--no-deps",
  "--only-binary=:all:",
  `--platform=${platform}`,
  "--implementation=cp",
  "--python-version=310",
  "--abi=cp310",
  `--dest=${folder}`,
  `${name}==${version}`,
];

function fetchFailed({ name, version }: Wheel, ran: Parameters<typeof programFailed>[1]) {
  const error = programFailed("downloading the library", ran);
  const hasReason = /No space|Errno|Connection|Timeout|Proxy|SSL|resolution|not known/.test(ran.err);
  if (hasReason || !ran.err.includes("No matching distribution")) return error;
  return failed("downloading the library", `the index that pip uses has no ${name} ${version}`);
}
