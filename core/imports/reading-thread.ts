import { parentPort, workerData } from "node:worker_threads";
import { type Source, readText } from "./read-text.ts";

/** The thread that reads a long text of somebody else's: however long it takes, the hub goes on waking meanwhile. */

// what the reader hands over
const reading = await readText(workerData as Source);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
parentPort?.postMessage(reading);
