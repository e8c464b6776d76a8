import { describe, expect, test } from "vitest";
import { needsCommand } from "#test/fixtures/commands.ts";
import { canPing, ping, pingAnswered, pingCommand } from "./ping.ts";

describe("the system's ping", () => {
  test.for([
    ["linux", "192.168.1.9", "ping -c 1 -W 1 -q 192.168.1.9"],
    ["linux", "fe80::1%eth0", "ping -c 1 -W 1 -q fe80::1%eth0"],
    ["darwin", "192.168.1.9", "ping -c 1 -t 1 -q 192.168.1.9"],
    ["darwin", "fe80::1", "ping6 -c 1 -q fe80::1"],
    ["win32", "192.168.1.9", "ping -n 1 -w 1000 192.168.1.9"],
  ] as const)("on %s for %s is %s", ([platform, address, line]) => {
    const { file, args } = pingCommand(address, platform);
    expect([file, ...args].join(" ")).toBe(line);
  });

  test.for([
    ["linux", 0, "1 packets transmitted, 1 received, 0% packet loss", true],
    ["linux", 1, "1 packets transmitted, 0 received, 100% packet loss", false],
    ["win32", 0, "Reply from 192.168.1.9: bytes=32 time<1ms TTL=64\r\n\r\nPing statistics…", true],
    ["win32", 0, "Antwort von 192.168.1.9: Bytes=32 Zeit=3ms TTL=64\r\n\r\nPing-Statistik…", true],
    ["win32", 0, "Reply from 192.168.1.5: Destination host unreachable.\r\n\r\nPing statistics…", false],
    ["win32", 1, "Request timed out.", false],
  ] as const)("on %s with exit code %i: %s → %s", ([platform, code, output, answered]) => {
    expect(pingAnswered(platform, code, output)).toBe(answered);
  });

  test("tells an address that answers from one that does not", async (context) => {
    needsCommand(context, "ping", "iputils-ping");
    context.skip(!(await canPing()), "ping may not send here");
    expect(await ping("127.0.0.1")).toBe(true);
    expect(await ping("192.0.2.254")).toBe(false);
  });

  test("is simply no answer where it is missing", async () => {
    expect(await ping("not an address")).toBe(false);
  });
});
