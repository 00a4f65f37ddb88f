// What cannot be: no playwright-core, no browser, one that does not start, a page that does not load. The pages
// F0940 to F0946 of spec/errors show what is said; FROND_UPDATE=1 writes their frames anew.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Backend } from "../../backends/api.ts";
import { type LaunchParts, launch } from "../../backends/browser/chromium.ts";
import { BrowserEnded } from "../../backends/browser/faults.ts";
import { pageFiles } from "../../backends/browser/files.ts";
import { type Machine, machineHere } from "../../backends/browser/find.ts";
import { BrowserHost } from "../../backends/browser/host.ts";
import { inBrowser } from "../../backends/browser/index.ts";
import type { DiagnosticCode } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import { compileNamed } from "../harness/models.ts";
import { build, errorOf, inBrowserTests, pageHere } from "./harness.ts";

type Ours = Extract<DiagnosticCode, `F094${string}`>;

const program = compileNamed("lstm").infer();

const linux = (env: Machine["env"], programs: readonly string[] = []): Machine => ({
  platform: "linux",
  env,
  home: "/root",
  isProgram: path => programs.includes(path),
});

/** playwright-core as it is when no browser was downloaded by it. */
const load = async () => {
  const { chromium } = await import("playwright-core");
  return { chromium: Object.assign(Object.create(chromium), { executablePath: () => "/nowhere" }) };
};

const launched = (machine: Machine) => errorOf(launch({}, { machine, load } as LaunchParts));

const missing = () =>
  Promise.reject(Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" }));

const failing: Backend = {
  name: "cpu",
  doc: "",
  probe: async () => ({ available: true, detail: "" }),
  compile: () => Promise.reject(new RangeError("Array buffer allocation failed")),
};

const pages: { readonly [C in Ours]: () => unknown } = {
  F0940: () => errorOf(launch({}, { load: missing })),
  F0941: () => launched(linux({ PATH: "/nowhere" })),
  F0942: () => launched(linux({ FROND_BROWSER: "/opt/chromium" })),
  F0943: () => launched(linux({ FROND_BROWSER: "/bin/true" }, ["/bin/true"])),
  F0944: () => errorOf(new BrowserHost({}, { files: () => null }).open()),
  F0945: () => new BrowserEnded("its process has ended", { runs: 42, step: 41 }, 3),
  F0946: () => errorOf(inBrowser("cpu", pageHere([failing])).compile(program)),
};

const folder = join(import.meta.dirname, "..", "..", "spec", "errors");
/** What does not start must be something. */
const here = Object.entries(pages).filter(([code]) => code !== "F0943" || process.platform === "linux");

test.skipIf(process.platform === "win32")("a browser that says what it lacks is quoted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "frond-"));
  const path = join(folder, "chrome");
  const complaint = "chrome: error while loading shared libraries: libnss3.so";
  writeFileSync(path, `#!/bin/sh\necho "${complaint}" >&2\nexit 127\n`, { mode: 0o755 });
  const error = await launched(linux({ FROND_BROWSER: path }, [path]));
  rmSync(folder, { recursive: true });
  expect(String(error)).toContain(`F0943: the browser \`${path}\` does not start: ${complaint}`);
});

test.each(here)("%s is said as its page shows it", async (code, fail) => {
  const error = await fail();
  expect(error).toBeInstanceOf(FrondError);
  const { diagnostics } = error as FrondError;
  expect(diagnostics.map(diagnostic => diagnostic.code)).toEqual([code]);
  const frame = `${render(diagnostics, { color: false }).trimEnd()}\n`;
  const path = join(folder, `${code}.md`);
  const page = readFileSync(path, "utf8");
  if (process.env.FROND_UPDATE === "1") {
    const changed = page.replace(
      /(## Frame\n\n```text\n)[\s\S]*?(```)/,
      (_, head, tail) => head + frame + tail,
    );
    writeFileSync(path, changed);
  } else expect(page).toContain(`\`\`\`text\n${frame}\`\`\`\n`);
});

describe("a probe says the same", () => {
  test.each([
    ["a browser is started by the package playwright-core, which is not installed", { load: missing }],
    ["no browser was found", { machine: linux({}), load } as LaunchParts],
  ])("%s", async (reason, parts) => {
    const availability = await inBrowser("wasm", { host: new BrowserHost({}, parts) }).probe();
    expect(availability).toMatchObject({ available: false, reason });
    expect((availability as { remedy: string }).remedy).not.toBe("");
  });
});

inBrowserTests(() => {
  const hosts: BrowserHost[] = [];
  afterAll(() => Promise.all(hosts.map(host => host.close())));

  /** A browser whose page gets some modules as they are not. */
  function hostWith(change: (address: string) => string | null | undefined): BrowserHost {
    const files = () => {
      const real = pageFiles()!;
      const read = (address: string) => {
        const changed = change(address);
        return changed === undefined ? real.read(address) : changed;
      };
      return { ...real, read };
    };
    const host = new BrowserHost({}, { files });
    hosts.push(host);
    return host;
  }

  test("a page that cannot load says why", async () => {
    build();
    const broken = hostWith(address =>
      address.endsWith("/page.js") ? "throw new Error('too old');" : undefined,
    );
    expect(String(await errorOf(broken.open()))).toContain(
      "F0944: the browser cannot load Frond's page: too old",
    );
    const lacking = hostWith(address => (address.endsWith("/codec.js") ? null : undefined));
    expect(String(await errorOf(lacking.open()))).toContain(
      "F0944: the browser cannot load Frond's page: Failed to fetch",
    );
  });

  test("a backend whose packages the page lacks is not available, for its own reason", async () => {
    const host = hostWith(address => (address.includes("tfjs-backend-cpu") ? null : undefined));
    const availability = await inBrowser("cpu", { host }).probe();
    expect(availability).toMatchObject({ available: false });
    expect((availability as { reason: string }).reason).toContain("its packages cannot be loaded");
    expect(await inBrowser("wasm", { host }).probe()).toMatchObject({ available: true });
  });

  test("FROND_BROWSER names the browser", async () => {
    const before = machineHere();
    const path = (await import("../../backends/browser/find.ts")).findBrowser(before).path!;
    const machine: Machine = { ...before, env: { ...before.env, PATH: "", FROND_BROWSER: path } };
    const { browser } = await launch({ webgpu: true }, { machine });
    expect(browser.isConnected()).toBe(true);
    await browser.close();
  });
});
