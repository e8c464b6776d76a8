import { describe, expect, test } from "vitest";
import { formatJoinCode, parseJoinCode } from "./enrolment.ts";

const SECRET = "abcdefghijklmnopqrstuvwxyz";
const FINGERPRINT = "AbC_-0123456789abcdefghijklmnopqrstuvwxyzAB";

describe("a join code", () => {
  test("that was formatted is read again, with spaces around it too", () => {
    const code = formatJoinCode({ secret: SECRET, fingerprint: FINGERPRINT });
    expect(code).toBe(`pbj_${SECRET}_${FINGERPRINT}`);
    expect(parseJoinCode(` ${code}\n`)).toEqual({ secret: SECRET, fingerprint: FINGERPRINT });
  });

  test.each([
    ["nothing", ""],
    ["its end missing", `pbj_${SECRET}_${FINGERPRINT.slice(0, -1)}`],
    ["something behind it", `pbj_${SECRET}_${FINGERPRINT}x`],
    ["a secret too short", `pbj_${SECRET.slice(1)}_${FINGERPRINT}`],
    ["a secret in capitals", `pbj_${SECRET.toUpperCase()}_${FINGERPRINT}`],
    ["digits that base 32 does not have", `pbj_${SECRET.slice(1)}1_${FINGERPRINT}`],
    ["another beginning", `pba_${SECRET}_${FINGERPRINT}`],
    ["no fingerprint", `pbj_${SECRET}`],
  ])("with %s is none", (_what, text) => {
    expect(parseJoinCode(text)).toBeUndefined();
  });
});
