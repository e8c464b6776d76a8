import { parentPort, workerData } from "node:worker_threads";
import { type ImportFormat, MAX_IMPORTED_DEVICES } from "#contracts/api/imports.ts";
import type { Reading } from "./found.rules.ts";

/** The thread that reads a text of somebody else's: however long it takes, the hub goes on waking meanwhile. */

export interface Source {
  readonly format: ImportFormat;
  readonly text: string;
}

async function read({ format, text }: Source): Promise<Reading> {
  switch (format) {
    case "csv":
      return (await import("./csv.rules.ts")).readCsv(text);
    case "home-assistant":
      return (await import("./home-assistant.rules.ts")).readHomeAssistant(text);
    case "upsnap":
      return (await import("./upsnap.rules.ts")).readUpsnap(text);
    case "ethers":
      return (await import("./ethers.rules.ts")).readEthers(text);
    case "dnsmasq":
      return (await import("./dnsmasq.rules.ts")).readDnsmasq(text);
    case "dhcpd":
      return (await import("./dhcpd.rules.ts")).readDhcpd(text);
  }
}

const { found, notes } = await read(workerData as Source); // what `readAside` hands over
// one more than may be: whoever asked tells by it that there are too many
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
parentPort?.postMessage({ found: found.slice(0, MAX_IMPORTED_DEVICES + 1), notes } satisfies Reading);
