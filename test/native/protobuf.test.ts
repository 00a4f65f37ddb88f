// Bytes as in the examples of protobuf.dev/programming-guides/encoding.

import { expect, test } from "vitest";
import { message, text, whole } from "../../backends/native/protobuf.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("whole numbers", () => {
  expect(hex(whole(1, 150))).toBe("089601");
  expect(hex(whole(20, 0))).toBe("a00100");
  expect(hex(whole(1, 2 ** 40))).toBe("08808080808020");
});

test("texts and messages", () => {
  expect(hex(text(2, "testing"))).toBe("120774657374696e67");
  expect(hex(message(3, [whole(1, 150)]))).toBe("1a03089601");
});
