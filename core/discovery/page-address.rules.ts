import type { NetworkInterfaceInfo } from "node:os";

/**
 * Where people in the network find the page: the public address, else the one that the hub listens on, else its machine's first
 * address that is not loopback. Without a slash at the end; null when nobody outside could reach any.
 *
 * @param interfaces as `os.networkInterfaces()` tells them.
 */
export function pageAddress(
  { publicUrl, host, port }: { publicUrl: string | null; host: string; port: number },
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): string | null {
  if (publicUrl !== null) return publicUrl.replace(/\/+$/, "");
  if (port === 0) return null; // any free one, known only later
  const address = isAny(host) ? firstAddress(interfaces) : isLoopback(host) ? undefined : host;
  if (address === undefined) return null;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function firstAddress(interfaces: Parameters<typeof pageAddress>[1]): string | undefined {
  const outward = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    // link-local ones name an interface too, which no link can
    .filter(({ internal, address }) => !internal && !/^(fe[89ab]|169\.254\.)/i.test(address));
  return (outward.find(({ family }) => family === "IPv4") ?? outward[0])?.address;
}

function isAny(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
