import { measureFrozenDatabase } from "./accounts-frozen-database.ts";
import { measureLists } from "./accounts-lists.ts";
import { measureLogIns } from "./accounts-log-ins.ts";
import { measureTransactions } from "./accounts-transactions.ts";
import type { Part } from "./part.ts";

/** What accounts and sites cost: row-level security, transactions, passwords; and what they must not cost a wake. */
export const accountsPart: Part = async (options) => {
  await measureLists(options);
  await measureTransactions(options);
  await measureFrozenDatabase(options);
  await measureLogIns(options);
};
