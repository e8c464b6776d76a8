import { readLinuxArmed } from "./linux.ts";
import { readHost } from "./read-host.ts";

/** Whether a network card is set to wake its machine on a magic packet, asked just now; null = it cannot be told. Never rejects. */
export async function readArmed(name: string): Promise<boolean | null> {
  if (process.platform === "linux") return await readLinuxArmed(name);
  const { cards } = await readHost();
  return cards.find((card) => card.name === name)?.armed ?? null;
}
