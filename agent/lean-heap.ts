import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** By then it is connected, and has read all of its code that it needs. Milliseconds. */
const SETTLED_MS = 10_000;

/**
 * Gives back what the start has left behind: loading makes V8 take 7 MiB that an agent, idle most of the time, would keep for
 * years without filling them. From then on the space for new objects stays as small as it is.
 */
export function keepHeapLean(): void {
  const settle = () => {
    setFlagsFromString("--semi-space-growth-factor=1");
    setFlagsFromString("--expose-gc"); // for contexts that are new
    const collect = runInNewContext("gc") as () => void; // V8's own
    collect();
  };
  setTimeout(settle, SETTLED_MS).unref();
}
