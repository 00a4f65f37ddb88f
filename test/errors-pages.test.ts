// Every page of spec/errors tells the truth: its bad example is reported with its code and its frame, its good
// example with nothing.

import { describe, expect, test } from "vitest";
import { render } from "../compiler/diagnostics/render.ts";
import { checkText, errorPages, writeFrame } from "./harness/errors-pages.ts";

const pages = errorPages();

test("there are pages", () => {
  expect(pages.length).toBeGreaterThan(100);
});

describe.each(pages)("$code", page => {
  const checked = (text: string) => checkText("example.frond", text, page.code.startsWith("F07"));

  test("the bad example reports the code", () => {
    const diagnostics = checked(page.bad);
    const [first] = diagnostics.filter(diagnostic => diagnostic.severity === "error");
    expect((first ?? diagnostics[0])?.code).toBe(page.code);
  });

  test("the frame is pinned", () => {
    const frame = `${render(checked(page.bad), { color: false }).trimEnd()}\n`;
    if (process.env.FROND_UPDATE === "1") writeFrame(page, frame);
    else expect(frame).toBe(page.frame);
  });

  test("the good example reports nothing", () => {
    expect(render(checked(page.good), { color: false })).toBe("");
  });
});
