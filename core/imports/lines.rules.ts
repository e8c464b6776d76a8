/** The lines of a text with their numbers, from 1, without a mark of byte order before the first. */
export function linesOf(text: string): { readonly line: number; readonly text: string }[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .map((each, index) => ({ line: index + 1, text: each }));
}

/** `8:0:20:1:2:3` as the tools of old write it, with two digits for each octet. */
export function withWholeOctets(mac: string): string {
  return /^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/i.test(mac)
    ? mac.replaceAll(/(?<![0-9a-f])[0-9a-f](?![0-9a-f])/gi, "0$&")
    : mac;
}
