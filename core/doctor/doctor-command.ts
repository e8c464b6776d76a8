import { z } from "zod";
import { DoctorReport } from "#contracts/api/doctor.ts";
import type { FindingSeverity } from "#contracts/finding.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import { askRunningHub } from "../kernel/operator-door.ts";
import { StartError } from "../kernel/start-error.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { Doctor } from "./doctor.service.ts";
import { nearNames } from "./near-names.rules.ts";

/** `powerbeacon doctor nas`: the question to the running hub, its answer, and how that is read to a person. */

const Question = z.object({ ask: z.literal("doctor"), device: z.string().min(1).max(200) });

const Answer = z.discriminatedUnion("found", [
  z.object({ found: z.literal(true), name: z.string(), report: DoctorReport }),
  z.object({ found: z.literal(false), near: z.array(z.string()) }),
]);
type Answer = z.infer<typeof Answer>;

/** What the hub answers its operator. */
export function answerOperator(directory: Directory, doctor: Doctor, question: unknown): Answer | undefined {
  const asked = Question.safeParse(question).data?.device;
  if (asked === undefined) return undefined;
  const device = deviceNamed(asked, directory);
  if (device) return { found: true, name: device.name, report: doctor.report(device, new Date()) };
  const keys = [...directory.devices].map(({ key }) => key);
  return { found: false, near: nearNames(asked.toLowerCase(), keys) };
}

/** By its key, its MAC address, or its name where no other has the same. */
function deviceNamed(asked: string, { devices }: Directory): DirectoryDevice | undefined {
  const known = devices.byKey(asked);
  if (known) return known;
  const mac = MacAddress.safeParse(asked).data;
  const alike = [...devices].filter((device) =>
    mac === undefined ? device.name.toLowerCase() === asked.toLowerCase() : device.mac === mac,
  );
  return alike.length === 1 ? alike[0] : undefined;
}

/**
 * Asks the hub on this data folder.
 *
 * @returns the lines for the operator, and whether the device can be woken as far as is known.
 * @throws StartError where no hub answers, or knows no such device.
 */
export async function askDoctor(dataDir: string, device: string): Promise<{ lines: string[]; fine: boolean }> {
  const answer = await ask(dataDir, device);
  if (!answer.found) throw new StartError(`There is no device "${device}".${suggestion(answer.near)}`);
  return { lines: readOut(answer.report), fine: answer.report.verdict === "fine" };
}

async function ask(dataDir: string, device: string): Promise<Answer> {
  let told: unknown;
  try {
    told = await askRunningHub(dataDir, { ask: "doctor", device } satisfies z.infer<typeof Question>);
  } catch (error) {
    throw new StartError(whyNoAnswer((error as NodeJS.ErrnoException).code, dataDir), { cause: error });
  }
  const answer = Answer.safeParse(told);
  if (answer.success) return answer.data;
  throw new StartError(
    "The running hub does not know this question: it is of another version, or the name is too long.",
  );
}

/** @param code of node:net; undefined when time ran out. */
function whyNoAnswer(code: string | undefined, dataDir: string): string {
  if (code === undefined) return "The running hub does not answer; its log may say why.";
  if (code === "EACCES" || code === "EPERM")
    return `The hub of the data folder ${dataDir} is another user's: run this as its user.`;
  return `No hub runs on the data folder ${dataDir}. The doctor asks the running hub: start it, or run this with its DATA_DIR.`;
}

function suggestion(near: readonly string[]): string {
  if (near.length === 0) return "";
  const named = near.length === 1 ? near[0] : `${near.slice(0, -1).join(", ")} or ${near.at(-1)}`;
  return ` Did you mean ${named}?`;
}

const WORDS: Readonly<Record<FindingSeverity, string>> = { problem: "Problem", warning: "Warning", hint: "Hint" };
const WIDTH = 100;
const INDENT = "   ";

/** A report for a terminal. */
export function readOut({ summary, findings }: DoctorReport): string[] {
  return [
    ...wrapped(summary, ""),
    ...findings.flatMap(({ severity, title, advice }, index) => [
      "",
      ...wrapped(`${index + 1}. ${WORDS[severity]}: ${title}`, INDENT).map((line, at) =>
        at === 0 ? line.trim() : line,
      ),
      ...wrapped(advice, INDENT),
    ]),
  ];
}

/** Broken between words, each line indented. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length > indent.length && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line];
}
