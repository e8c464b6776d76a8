import { once } from "node:events";
import { type IncomingMessage, get } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** What a phone loads before it shows anything, compressed by gzip. Bytes. */
const FIRST_LOAD_BYTES = 120 * 1024;

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.close());

/** As it comes over the wire: nothing is decompressed. */
async function wire(path: string, encoding = ""): Promise<{ message: IncomingMessage; body: Buffer }> {
  const request = get(`${hub.url}${path}`, { headers: { "accept-encoding": encoding } });
  const [message] = (await once(request, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return { message, body: Buffer.concat(parts) };
}

async function assets(): Promise<string[]> {
  const { body } = await wire("/");
  const paths = [...body.toString().matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
  expect(paths).toContainEqual(expect.stringMatching(/\.js$/));
  return paths;
}

describe("the built page", () => {
  test("loads little before it shows anything", async () => {
    const sizes = await Promise.all(
      ["/", ...(await assets())].map(async (path) => (await wire(path, "gzip")).body.length),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES);
  });

  test("is asked for each time, while its files with a hash in their name are kept for good", async () => {
    for (const path of ["/", "/login", "/devices/nas"]) {
      const { message } = await wire(path);
      expect(message.statusCode).toBe(200);
      expect(message.headers["cache-control"]).toBe("no-cache");
    }
    for (const path of await assets()) {
      const { message } = await wire(path);
      expect(path).toMatch(/-[\w-]{8}\.(?:js|css)$/);
      expect(message.headers["cache-control"]).toMatch(/max-age=31536000.*immutable/);
    }
  });

  test("comes in the best compression that the browser takes, and plain to one that takes none", async () => {
    for (const path of ["/", ...(await assets())]) {
      const { body: plain, message } = await wire(path);
      expect(message.headers["content-encoding"]).toBeUndefined();
      expect(message.headers.vary).toMatch(/accept-encoding/i);
      const gzip = await wire(path, "gzip");
      expect(gzip.message.headers["content-encoding"]).toBe("gzip");
      expect(gunzipSync(gzip.body).equals(plain)).toBe(true);
      const brotli = await wire(path, "gzip, deflate, br");
      expect(brotli.message.headers["content-encoding"]).toBe("br");
      expect(brotliDecompressSync(brotli.body).equals(plain)).toBe(true);
      expect(brotli.message.headers["content-type"]).toBe(message.headers["content-type"]);
    }
  });

  test("is held to a policy without any exception", async () => {
    const { message } = await wire("/");
    const policy = message.headers["content-security-policy"] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe-|\*|https?:|data:/);
    expect(message.headers["x-content-type-options"]).toBe("nosniff");
  });

  test("names nothing of elsewhere", async () => {
    const { body } = await wire("/");
    expect(body.toString()).not.toMatch(/(?:src|href)="(?!\/)/);
  });

  test("has no file where there is none", async () => {
    for (const path of [
      "/assets/none.js",
      "/assets/",
      "/assets/..%2findex.html",
      "/assets/..%5cindex.html",
      "/assets/%00.js",
      "/elsewhere",
    ]) {
      const { message, body } = await wire(path);
      expect(message.statusCode).toBe(404);
      expect(body.toString()).not.toContain("<html");
    }
  });
});
