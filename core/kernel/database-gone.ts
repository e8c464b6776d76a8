const CONNECTION_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "57P01",
  "57P02",
  "57P03",
  "53300", // too many connections
  "08006",
  "08001",
]);

const CONNECTION_MESSAGES =
  /Connection terminated|not queryable|Query read timeout|timeout expired|timeout exceeded when trying to connect|not currently accepting connections/;

/** Did this fail because the database does not answer? Errors of a query come from the ORM, those of connecting from the driver below it. */
export function isDatabaseGone(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseGone);
  if (!(error instanceof Error)) return false;
  const { code = "" } = error as { code?: string };
  return CONNECTION_CODES.has(code) || CONNECTION_MESSAGES.test(error.message);
}
