import { type ImportFormat, MAX_IMPORTED_DEVICES } from "#contracts/api/imports.ts";
import type { Reading } from "./found.rules.ts";

export interface Source {
  readonly format: ImportFormat;
  readonly text: string;
}

/** What a text says, of at most one device more than may be: whoever asked tells by it that there are too many. */
export async function readText(source: Source): Promise<Reading> {
  const { found, notes } = await readWhole(source);
  return { found: found.slice(0, MAX_IMPORTED_DEVICES + 1), notes };
}

/** Only what a format needs is loaded. */
async function readWhole({ format, text }: Source): Promise<Reading> {
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
