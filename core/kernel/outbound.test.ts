import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { whyForbidden } from "./forbidden-address.ts";
import { createOutbound, type OutboundOptions } from "./outbound.ts";

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** @returns the port on 127.0.0.1 */
async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const answeringWith = (listener: RequestListener) => listening(createServer(listener));

/** A server that must not be asked, and how often it was. */
async function forbiddenServer() {
  let connections = 0;
  const server = createTcpServer((socket) => (connections++, socket.destroy()));
  return { port: await listening(server), connections: () => connections };
}

const strict = createOutbound({ allowed: [] });
const exempting = (options: Partial<OutboundOptions> = {}) => createOutbound({ allowed: ["127.0.0.1"], ...options });

describe("an address", () => {
  test.each([
    ["127.0.0.1", "a loopback address"],
    ["127.255.255.254", "a loopback address"],
    ["::1", "a loopback address"],
    ["0:0:0:0:0:0:0:1", "a loopback address"],
    ["::ffff:127.0.0.1", "a loopback address"],
    ["::ffff:7f00:1", "a loopback address"],
    ["::127.0.0.1", "a loopback address"],
    ["::ffff:0:127.0.0.1", "a loopback address"],
    ["64:ff9b::127.0.0.1", "a loopback address"],
    ["2002:7f00:1::", "a loopback address"],
    ["0.0.0.0", "an unspecified address"],
    ["::", "an unspecified address"],
    ["169.254.169.254", "the address of a cloud's metadata service"],
    ["::ffff:a9fe:a9fe", "the address of a cloud's metadata service"],
    ["64:ff9b::a9fe:a9fe", "the address of a cloud's metadata service"],
    ["100.100.100.200", "the address of a cloud's metadata service"],
    ["192.0.0.192", "the address of a cloud's metadata service"],
    ["fd00:ec2::254", "the address of a cloud's metadata service"],
    ["169.254.0.1", "a link-local address"],
    ["fe80::1", "a link-local address"],
    ["fe80::1%eth0", "a link-local address"],
    ["febf::1", "a link-local address"],
    ["224.0.0.1", "a multicast address"],
    ["ff02::1", "a multicast address"],
    ["255.255.255.255", "a reserved address"],
    ["64:ff9b:1::1", "the address of a tunnel"],
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "the address of a tunnel"],
  ])("such as %s is not called: it is %s", (address, why) => {
    expect(whyForbidden(address)).toBe(why);
  });

  test.each([
    "192.168.1.20",
    "10.0.0.1",
    "172.16.3.4",
    "fd12:3456::1",
    "8.8.8.8",
    "128.0.0.1",
    "126.255.255.255",
    "169.253.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "64:ff9b::808:808",
    "::ffff:192.168.1.20",
    "2002:808:808::1",
  ])("such as %s is called: servers stand there", (address) => {
    expect(whyForbidden(address)).toBeUndefined();
  });
});

describe("a call", () => {
  test.each([
    "https://127.0.0.1",
    "https://localhost",
    "https://2130706433",
    "https://0x7f000001",
    "https://0177.0.0.1",
    "https://127.1",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[64:ff9b::7f00:1]",
    "https://0",
  ])("to %s never opens a connection", async (address) => {
    const { port, connections } = await forbiddenServer();
    await expect(strict.fetch(`${address}:${port}/`)).rejects.toMatchObject({ refusal: "FORBIDDEN" });
    expect(connections()).toBe(0);
  });

  test("to a name that means a forbidden address, among others, never opens a connection", async () => {
    const { port, connections } = await forbiddenServer();
    const lookUp = async () => [
      { address: "192.0.2.1", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ];
    const answer = createOutbound({ allowed: [], lookUp }).fetch(`https://login.test:${port}/`);
    await expect(answer).rejects.toThrow(
      "login.test means 127.0.0.1, a loopback address. The hub does not call it; an operator may allow it by naming login.test in OUTBOUND_ALLOWED",
    );
    expect(connections()).toBe(0);
  });

  test("goes to the address that was checked, whatever the name means a moment later", async () => {
    const port = await answeringWith((_request, response) => response.end("checked"));
    let lookUps = 0;
    const lookUp = async () => [{ address: lookUps++ === 0 ? "127.0.0.1" : "192.0.2.1", family: 4 }];
    const outbound = createOutbound({ allowed: ["login.test"], lookUp });
    const answer = await outbound.fetch(`http://login.test:${port}/`);
    expect(await answer.text()).toBe("checked");
    expect(lookUps).toBe(1);
  });

  test("follows no redirect", async () => {
    const { port: inner, connections } = await forbiddenServer();
    const location = `http://127.0.0.1:${inner}/`;
    const port = await answeringWith((_request, response) => response.writeHead(302, { location }).end());
    const answer = await exempting().fetch(`http://127.0.0.1:${port}/`);
    expect({ status: answer.status, location: answer.headers.get("location") }).toEqual({ status: 302, location });
    expect(connections()).toBe(0);
  });

  test("without TLS is for exempted hosts alone", async () => {
    await expect(strict.fetch("http://login.example.org/")).rejects.toThrow(
      "The address must begin with https://; an operator may allow it by naming login.example.org in OUTBOUND_ALLOWED",
    );
    const outbound = createOutbound({ allowed: ["LOGIN.Home", "::1"] });
    const urls = ["http://login.home:81/", "http://[::1]/", "http://home/", "http://a.login.home/"];
    const exempted = urls.filter((url) => outbound.isExempt(url));
    expect(exempted).toEqual(["http://login.home:81/", "http://[::1]/"]);
  });

  test("to a server whose certificate nobody vouches for is not made", async () => {
    const folder = mkdtempSync(join(tmpdir(), "powerbeacon-outbound-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-days", "1", "-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
    let requests = 0;
    const options = { key: readFileSync(key), cert: readFileSync(cert) };
    const port = await listening(createTlsServer(options, (_request, response) => (requests++, response.end())));
    rmSync(folder, { recursive: true });
    await expect(exempting().fetch(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({
      refusal: "UNREACHABLE",
      message: expect.stringContaining("certificate"),
    });
    expect(requests).toBe(0);
  });

  test.each(["file:///etc/passwd", "ftp://example.org/", "data:text/plain,x", "https://user:password@example.org/"])(
    "to %s is refused",
    async (address) => {
      await expect(strict.fetch(address)).rejects.toMatchObject({ refusal: "FORBIDDEN" });
    },
  );

  test("hands on method, headers, body and answer", async () => {
    const port = await answeringWith((request, response) => {
      response.writeHead(201, { "content-type": "text/plain" });
      response.write([request.method, request.url, request.headers["x-test"], request.headers.host, ""].join(" "));
      request.pipe(response);
    });
    const answer = await exempting().fetch(`http://127.0.0.1:${port}/a?b=c`, {
      method: "POST",
      headers: { "x-test": "yes" },
      body: "grant",
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("content-type")).toBe("text/plain");
    expect(await answer.text()).toBe(`POST /a?b=c yes 127.0.0.1:${port} grant`);
  });

  test("ends at an answer without end", async () => {
    const port = await answeringWith((_request, response) => {
      response.on("error", () => {});
      const pour = () => {
        while (response.write(Buffer.alloc(16_384)));
      };
      response.on("drain", pour);
      pour();
    });
    await expect(exempting({ maxBytes: 100_000 }).fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
      refusal: "TOO_LARGE",
    });
  });

  test.each([
    ["never comes", ""],
    ["begins and does not end", "{"],
  ])("ends where an answer %s", async (_what, beginning) => {
    const port = await answeringWith((_request, response) => void (beginning && response.write(beginning)));
    const outbound = exempting({ patienceMs: 200 });
    await expect(outbound.fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
      refusal: "TOO_SLOW",
      message: `127.0.0.1:${port} did not answer within 0.2 seconds`,
    });
  });

  test("ends where the name server is silent", async () => {
    const lookUp = () => new Promise<never>(() => {});
    await expect(
      createOutbound({ allowed: [], lookUp, patienceMs: 100 }).fetch("https://a.test"),
    ).rejects.toMatchObject({ refusal: "TOO_SLOW" });
  });

  test("tells that nobody is there", async () => {
    const { port } = await forbiddenServer();
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await expect(exempting().fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
      refusal: "UNREACHABLE",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
