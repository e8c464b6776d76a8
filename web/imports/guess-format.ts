import type { ImportFormat } from "#contracts/api/imports.ts";

const SIGNS: readonly { readonly format: ImportFormat; readonly sign: RegExp }[] = [
  { format: "home-assistant", sign: /^\s*(?:- *)?\{?\s*platform:\s*["']?wake_on_lan/m },
  { format: "upsnap", sign: /^\s*[{[]/ },
  { format: "dhcpd", sign: /^\s*(?:lease\s+[\d.]+|host\s+\S+)\s*\{/m },
  { format: "dnsmasq", sign: /^\s*(?:--)?dhcp-host\s*=/m },
  { format: "dnsmasq", sign: /^\d+\s+(?:[0-9a-f]{2}-)?[0-9a-f]{2}(?::[0-9a-f]{2}){5}\s+\d+\.\d+\.\d+\.\d+\s/im },
  { format: "ethers", sign: /^\s*[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5}[ \t]+[^\s,;]+\s*(?:#.*)?$/im },
  { format: "csv", sign: /^[^\n]*mac[^\n]*$/im },
  { format: "home-assistant", sign: /^(?:switch|homeassistant|default_config)\b[^\n,;]*:/m },
];
const ENDINGS: Readonly<Record<string, ImportFormat>> = {
  csv: "csv",
  yaml: "home-assistant",
  yml: "home-assistant",
  json: "upsnap",
};
/** The beginning of a text shows what it is. */
const LOOKED_AT = 64 * 1024;

/** What a text seems to be; undefined when nothing tells. @param fileName where it comes from. */
export function guessFormat(text: string, fileName = ""): ImportFormat | undefined {
  const beginning = text.slice(0, LOOKED_AT).replace(/^\uFEFF/, "");
  const ending = /\.([a-z]+)$/i.exec(fileName)?.[1]?.toLowerCase() ?? "";
  const named = Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
  return named ?? SIGNS.find(({ sign }) => sign.test(beginning))?.format;
}
