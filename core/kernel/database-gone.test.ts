import { expect, test } from "vitest";
import { isDatabaseGone } from "./database-gone.ts";

/** As the driver and the server word it. A row that is refused looks quite the same, and must not. */
test.each<[string, unknown, boolean]>([
  ["a refused connection", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }), true],
  ["several refused ones", new AggregateError([Object.assign(new Error(""), { code: "ECONNREFUSED" })]), true],
  ["an administrator's end", Object.assign(new Error("terminating connection"), { code: "57P01" }), true],
  ["a connection that ends in a query", new Error("Connection terminated unexpectedly"), true],
  [
    "a query on one that just broke",
    new Error("select 1 - Client has encountered a connection error and is not queryable"),
    true,
  ],
  ["a query on one that was closed", new Error("Client was closed and is not queryable"), true],
  ["no answer to a query", new Error("Query read timeout"), true],
  ["no answer to a connection", new Error("timeout expired"), true],
  ["no place in the pool", new Error("timeout exceeded when trying to connect"), true],
  ["a closed database", new Error('database "powerbeacon" is not currently accepting connections'), true],
  ["a duplicate key", Object.assign(new Error("duplicate key value"), { code: "23505" }), false],
  ["a mistake of ours", new TypeError("x is not a function"), false],
  ["no error at all", "Connection terminated", false],
])("%s", (_what, error, isGone) => {
  expect(isDatabaseGone(error)).toBe(isGone);
});
