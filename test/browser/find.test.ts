// Where browsers are looked for, on each system.

import { describe, expect, test } from "vitest";
import { findBrowser, type Machine } from "../../backends/browser/find.ts";

/** A machine with these programs. */
const machine = (
  platform: string,
  programs: readonly string[],
  env: Machine["env"] = {},
  home = "/home/me",
): Machine => ({ platform, env, home, isProgram: path => programs.includes(path) });

describe("on Linux", () => {
  const chrome = "/usr/bin/google-chrome";
  const own = "/opt/mine/chromium";

  test("the first name on the PATH, in the order of names", () => {
    const env = { PATH: "/usr/bin:/opt/mine" };
    expect(findBrowser(machine("linux", [chrome, own], env))).toEqual({ path: own });
    expect(findBrowser(machine("linux", [chrome], env))).toEqual({ path: chrome });
  });

  test("usual places that are not on the PATH", () => {
    expect(findBrowser(machine("linux", [chrome], { PATH: "" }))).toEqual({ path: chrome });
    expect(findBrowser(machine("linux", ["/snap/bin/chromium"]))).toEqual({ path: "/snap/bin/chromium" });
  });

  test("none", () => {
    expect(findBrowser(machine("linux", [], { PATH: "/usr/bin" }))).toEqual({
      path: null,
      wanted: null,
      looked: ["PATH", "/usr/bin", "/usr/local/bin", "/opt/google/chrome", "/snap/bin"],
    });
  });
});

describe("FROND_BROWSER", () => {
  test("is a path, or a name on the PATH", () => {
    const programs = ["/usr/bin/chromium", "/opt/b/brave"];
    const found = (FROND_BROWSER: string) =>
      findBrowser(machine("linux", programs, { FROND_BROWSER, PATH: "/usr/bin:/opt/b" }));
    expect(found("/opt/b/brave")).toEqual({ path: "/opt/b/brave" });
    expect(found("brave")).toEqual({ path: "/opt/b/brave" });
    expect(found("")).toEqual({ path: "/usr/bin/chromium" });
  });

  test("nothing else will do when it is wrong", () => {
    const wrong = machine("linux", ["/usr/bin/chromium"], { FROND_BROWSER: "/opt/none", PATH: "/usr/bin" });
    expect(findBrowser(wrong)).toEqual({ path: null, wanted: "/opt/none", looked: ["/opt/none"] });
  });
});

test("on macOS, applications of everybody and one's own", () => {
  const edge = "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge";
  const chrome = "/Users/me/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  expect(findBrowser(machine("darwin", [edge, chrome], {}, "/Users/me"))).toEqual({ path: chrome });
  expect(findBrowser(machine("darwin", [edge], {}, "/Users/me"))).toEqual({ path: edge });
});

test("on Windows, where installers put them, and the PATH", () => {
  const env = { PROGRAMFILES: "C:\\Program Files", LOCALAPPDATA: "C:\\Users\\me\\AppData\\Local" };
  const chrome = "C:\\Users\\me\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe";
  const edge = "C:\\Program Files\\Microsoft\\Edge\\Application\\msedge.exe";
  expect(findBrowser(machine("win32", [chrome, edge], env))).toEqual({ path: chrome });
  expect(findBrowser(machine("win32", [edge], env))).toEqual({ path: edge });
  const own = "D:\\tools\\chromium.exe";
  expect(findBrowser(machine("win32", [own, edge], { ...env, Path: "C:\\x;D:\\tools" }))).toEqual({
    path: own,
  });
});
