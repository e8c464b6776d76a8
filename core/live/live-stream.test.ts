import { describe, expect, test } from "vitest";
import type { LiveEvent } from "#contracts/api/live.ts";
import { LiveStream, type StreamedEvent } from "./live-stream.ts";

const ID = "6b1b36cb-3d6c-4b3c-a7a6-0a5b6d6f7c11";
const event: LiveEvent = { event: "removed", data: { kind: "device", id: ID } };
const removed = () => event;

function streamWith(count: number) {
  const stream = new LiveStream();
  const heard: StreamedEvent[] = [];
  stream.subscribe((event) => heard.push(event));
  for (let i = 0; i < count; i++) stream.push(removed);
  return { stream, heard };
}

describe("a stream of live events", () => {
  test("numbers them and hands each to whoever listens", () => {
    const { stream, heard } = streamWith(2);
    expect(heard).toHaveLength(2);
    const text = `id: ${stream.lastId}\nevent: removed\ndata: {"kind":"device","id":"${ID}"}\n\n`;
    expect(heard[1]).toEqual({ id: stream.lastId, text });
  });

  test("knows what came after each of the last ones", () => {
    const { stream, heard } = streamWith(3);
    expect(stream.since(heard[0]?.id ?? "")).toEqual(heard.slice(1));
    expect(stream.since(stream.lastId)).toEqual([]);
  });

  test("knows nothing of ids that are old, of another run, not given out, or none", () => {
    const { stream, heard } = streamWith(10_000);
    const [run] = stream.lastId.split("-");
    expect(stream.since(heard.at(-2_000)?.id ?? "")).toHaveLength(1_999);
    for (const id of [
      heard[0]?.id ?? "",
      streamWith(1).stream.lastId,
      `${run}-10001`,
      `${run}-x`,
      `${run}--1`,
      "",
      "-",
    ])
      expect({ id, since: stream.since(id) }).toEqual({ id, since: undefined });
  });

  test("hands nothing to who has left", () => {
    const stream = new LiveStream();
    let heard = 0;
    const leave = stream.subscribe(() => heard++);
    stream.push(removed);
    leave();
    stream.push(removed);
    expect(heard).toBe(1);
  });

  test("makes no event while nobody has listened for long, and does not claim to know it", () => {
    const stream = new LiveStream();
    const before = stream.lastId;
    stream.push(() => {
      throw new Error("nobody reads this");
    });
    expect(stream.lastId).not.toBe(before);
    expect(stream.since(before)).toBeUndefined();
  });
});
