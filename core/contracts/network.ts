/**
 * The network that limits count an address by: one household or one customer of a provider.
 *
 * IPv4 as it is, also where it comes mapped into IPv6; of IPv6 the /64, in which anybody has as many addresses as they like.
 * What is no address stays what it is.
 */
export function networkOf(address: string): string {
  const plain = address.split("%", 1)[0] ?? ""; // a link-local one may name its interface
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!plain.includes(":")) return plain;
  const [left = "", right] = plain.toLowerCase().split("::", 2);
  const before = left.split(":").filter(Boolean);
  const behind = right === undefined ? [] : right.split(":").filter(Boolean);
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - behind.length) }, () => "0");
  const groups = [...before, ...zeros, ...behind].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
