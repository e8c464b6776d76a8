import type { Duplex } from "node:stream";

/** Chunks up to this size are copied together; larger ones are passed on as they are. Bytes. */
const COPY_LIMIT = 4 * 1024;
/** Sockets written to before whatever else is due gets its turn: a message to 10,000 agents takes a third of a second. */
const SLICE = 500;
/** MQTT 5 §3.3.1.1 */
const DUP = 0x08;
const FIRST_SLAB = 512;
const LARGEST_SLAB = 16 * 1024;
/** A connection that is being ended gets this long to take what was written. */
const GOODBYE_MS = 1_000;

/**
 * Writes what all clients of a broker are owed once per turn of the event loop.
 *
 * One system call for a socket and turn instead of one for each packet: under load that is half of the cost.
 */
export class Flusher {
  #waiting: Outbox[] = [];

  add(outbox: Outbox): void {
    if (this.#waiting.push(outbox) === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const due = this.#waiting.splice(0, SLICE);
    if (this.#waiting.length > 0) setImmediate(this.#flush);
    for (const outbox of due) outbox.flush();
  };
}

/** What is to be written to one client: joined within a turn, and bounded, since the client may never read it. */
export class Outbox {
  readonly #conn: Duplex;
  readonly #flusher: Flusher;
  /** Bytes that may wait; more and the client is dropped. */
  limit: number;
  readonly #onOverflow: () => void;
  /** What to do when so many bytes wait, below the limit. */
  onHigh: { readonly bytes: number; readonly callback: () => void } | null = null;
  #slab: Buffer | null = null;
  #slabSize = FIRST_SLAB;
  #start = 0;
  #used = 0;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isWaiting = false;
  #isEnded = false;
  #onDrained: (() => void)[] = [];

  constructor(conn: Duplex, flusher: Flusher, limit: number, onOverflow: () => void) {
    this.#conn = conn;
    this.#flusher = flusher;
    this.limit = limit;
    this.#onOverflow = onOverflow;
    conn.on("drain", () => this.#drained());
    conn.once("close", () => this.#drained());
  }

  /** Bytes that the client has not taken yet. */
  get backlog(): number {
    return this.#bytes + this.#conn.writableLength;
  }

  write(chunk: Buffer): void {
    if (chunk.length > COPY_LIMIT) {
      this.#cut();
      this.#chunks.push(chunk);
    } else this.#reserve(chunk.length).set(chunk, this.#advance(chunk.length));
    this.#wrote(chunk.length);
  }

  /** Writes a PUBLISH whose packet identifier stands at `at`; `packet` itself is shared and stays as it is. */
  writeWithId(packet: Buffer, at: number, id: number, isRepeated: boolean): void {
    const header = (packet[0] ?? 0) | (isRepeated ? DUP : 0);
    if (packet.length > COPY_LIMIT) {
      this.write(Buffer.from([header]));
      this.write(packet.subarray(1, at));
      this.write(Buffer.from([id >> 8, id & 0xff]));
      this.write(packet.subarray(at + 2));
      return;
    }
    const slab = this.#reserve(packet.length);
    const start = this.#advance(packet.length);
    slab.set(packet, start);
    slab[start] = header;
    slab[start + at] = id >> 8;
    slab[start + at + 1] = id & 0xff;
    this.#wrote(packet.length);
  }

  /** PUBACK, PUBREC or PUBCOMP. A reason stands for MQTT 5 alone; without one the short form means success there too. */
  acknowledge(header: number, id: number, reason = 0): void {
    const length = reason === 0 ? 4 : 5;
    const slab = this.#reserve(length);
    const start = this.#advance(length);
    slab[start] = header;
    slab[start + 1] = length - 2;
    slab[start + 2] = id >> 8;
    slab[start + 3] = id & 0xff;
    if (reason !== 0) slab[start + 4] = reason;
    this.#wrote(length);
  }

  flush(): void {
    this.#isWaiting = false;
    if (this.#bytes === 0) return;
    this.#cut();
    const chunks = this.#chunks;
    this.#chunks = [];
    const bytes = this.#bytes;
    this.#bytes = 0;
    if (this.#conn.destroyed || this.#conn.writableEnded) return;
    const [first] = chunks;
    // a WebSocket makes one frame of each write, so small chunks are joined before it
    if (first !== undefined && chunks.length === 1) this.#conn.write(first);
    else if (bytes <= 4 * LARGEST_SLAB) this.#conn.write(Buffer.concat(chunks, bytes));
    else {
      this.#conn.cork();
      for (const chunk of chunks) this.#conn.write(chunk);
      this.#conn.uncork();
    }
    if (this.#onDrained.length > 0 && this.#conn.writableLength === 0) setImmediate(() => this.#drained());
  }

  /** Calls once when the client has taken everything, or when it is gone. */
  whenDrained(callback: () => void): void {
    if (this.backlog === 0 || this.#conn.destroyed) setImmediate(callback);
    else this.#onDrained.push(callback);
  }

  /** Ends the connection after what was written, such as a DISCONNECT with its reason. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.flush();
    this.#drained();
    if (this.#conn.writableLength === 0 || this.#conn.destroyed) {
      this.#conn.destroy();
      return;
    }
    const timer = setTimeout(() => this.#conn.destroy(), GOODBYE_MS);
    this.#conn.once("close", () => clearTimeout(timer));
    this.#conn.end(() => this.#conn.destroy());
  }

  /** Room for so many bytes in the slab. */
  #reserve(length: number): Buffer {
    if (this.#slab !== null && this.#slab.length - this.#used >= length) return this.#slab;
    this.#cut();
    while (this.#slabSize < length) this.#slabSize *= 2;
    this.#slab = Buffer.allocUnsafe(this.#slabSize);
    this.#slabSize = Math.min(this.#slabSize * 2, LARGEST_SLAB);
    this.#start = 0;
    this.#used = 0;
    return this.#slab;
  }

  #advance(length: number): number {
    const at = this.#used;
    this.#used += length;
    return at;
  }

  /** Moves what the slab holds to the chunks, so that a chunk can follow it. */
  #cut(): void {
    if (this.#slab === null || this.#used === this.#start) return;
    this.#chunks.push(this.#slab.subarray(this.#start, this.#used));
    this.#start = this.#used;
    if (this.#slab.length - this.#used < 64) this.#slab = null;
  }

  #wrote(length: number): void {
    this.#bytes += length;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#slabSize = FIRST_SLAB;
      this.#flusher.add(this);
    }
    const backlog = this.#bytes + this.#conn.writableLength;
    if (this.onHigh !== null && backlog > this.onHigh.bytes) this.onHigh.callback();
    if (backlog > this.limit && !this.#isEnded) this.#onOverflow();
  }

  #drained(): void {
    const callbacks = this.#onDrained;
    this.#onDrained = [];
    for (const callback of callbacks) callback();
  }
}
