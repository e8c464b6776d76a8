/** Multicast DNS, RFC 6762: just enough of it to ask for the addresses of one name. */

const TYPE_A = 1;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
/** The top bit asks for an answer to the asker alone, RFC 6762 §5.4. */
const ANSWER_ME = 0x8000;
const HEADER_BYTES = 12;
const IS_RESPONSE = 0x8000;
const MAX_RECORDS = 64;
const MAX_LABELS = 128;

/** Names that are found by multicast, RFC 6762 §3. */
export function isLocalName(name: string): boolean {
  return /^[^.].*\.local\.?$/i.test(name);
}

/** A question for the IPv4 and the IPv6 addresses of a name such as `nas.local`; undefined where DNS can hold no such name. */
export function mdnsQuestion(name: string): Buffer | undefined {
  const labels = withoutDot(name).split(".");
  if (labels.some((label) => label === "" || Buffer.byteLength(label) > 63)) return undefined;
  const encoded = Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(Buffer.byteLength(label)), Buffer.from(label)])),
    Buffer.of(0),
  ]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(2, 4);
  const question = (type: number) => {
    const rest = Buffer.alloc(4);
    rest.writeUInt16BE(type, 0);
    rest.writeUInt16BE(CLASS_IN | ANSWER_ME, 2);
    return Buffer.concat([encoded, rest]);
  };
  return Buffer.concat([header, question(TYPE_A), question(TYPE_AAAA)]);
}

/** The addresses that a response gives for this name; none where it is no response, or broken. */
export function mdnsAddresses(message: Buffer, name: string): string[] {
  try {
    return readAddresses(message, withoutDot(name).toLowerCase());
  } catch {
    return []; // it ends too early: anybody may send anything here
  }
}

function readAddresses(message: Buffer, name: string): string[] {
  if ((message.readUInt16BE(2) & IS_RESPONSE) === 0) return [];
  const questions = Math.min(message.readUInt16BE(4), MAX_RECORDS);
  const records = [6, 8, 10].reduce((sum, at) => sum + message.readUInt16BE(at), 0);
  let offset = HEADER_BYTES;
  for (let left = questions; left > 0; left--) offset = readName(message, offset).end + 4;
  const addresses: string[] = [];
  for (let left = Math.min(records, MAX_RECORDS); left > 0; left--) {
    const owner = readName(message, offset);
    const type = message.readUInt16BE(owner.end);
    const length = message.readUInt16BE(owner.end + 8);
    const data = message.subarray(owner.end + 10, owner.end + 10 + length);
    offset = owner.end + 10 + length;
    if (owner.name.toLowerCase() !== name) continue;
    if (type === TYPE_A && data.length === 4) addresses.push(data.join("."));
    if (type === TYPE_AAAA && data.length === 16) addresses.push(ipv6Of(data));
  }
  return addresses;
}

/** Names point back to where they stood before, RFC 1035 §4.1.4. */
function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let end: number | undefined;
  let offset = start;
  for (let steps = 0; steps < MAX_LABELS; steps++) {
    const length = message.readUInt8(offset);
    if (length === 0) return { name: labels.join("."), end: end ?? offset + 1 };
    if (length >= 0xc0) {
      end ??= offset + 2;
      offset = message.readUInt16BE(offset) & 0x3fff;
    } else {
      labels.push(message.toString("utf8", offset + 1, offset + 1 + length));
      offset += 1 + length;
    }
  }
  throw new RangeError("a name without an end");
}

/** In the shortest form, as the system writes it. */
function ipv6Of(data: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => data.readUInt16BE(i * 2).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

function withoutDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
