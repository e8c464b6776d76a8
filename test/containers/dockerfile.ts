/** The parts of a Dockerfile that ours use: stages, flags, and arguments in shell or in exec form. */

export interface Step {
  /** In capitals: `COPY`. */
  readonly instruction: string;
  /** `--from=page` as `{ from: "page" }`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What follows the flags, continued lines joined. */
  readonly text: string;
}

export interface Stage {
  /** From the registry, or an earlier stage. */
  readonly base: string;
  readonly platform: string | undefined;
  readonly name: string | undefined;
  readonly steps: readonly Step[];
}

export function parseDockerfile(source: string): Stage[] {
  const stages: (Stage & { readonly steps: Step[] })[] = [];
  for (const line of logicalLines(source)) {
    const step = parseStep(line);
    if (step.instruction === "FROM") {
      const [base = "", , name] = step.text.split(/\s+/);
      stages.push({ base, name, platform: step.flags["platform"], steps: [] });
    } else {
      const stage = stages.at(-1);
      if (!stage) throw new Error(`nothing may stand before the first FROM: ${line}`);
      stage.steps.push(step);
    }
  }
  return stages;
}

/** Comments go, also between continued lines, and a line that ends in a backslash takes in the next. */
function logicalLines(source: string): string[] {
  const text = source
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n");
  return text.replaceAll(/\\\n\s*/g, "").split("\n");
}

function parseStep(line: string): Step {
  const [, instruction = "", flagText = "", text = ""] = /^\s*(\w+)((?:\s+--[a-z-]+=\S+)*)\s+(.*)$/.exec(line) ?? [];
  const flags = [...flagText.matchAll(/--([a-z-]+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value] as const);
  return { instruction: instruction.toUpperCase(), flags: Object.fromEntries(flags), text };
}

/** The steps of one kind, in their order. */
export function stepsOf(stage: Stage, instruction: string): Step[] {
  return stage.steps.filter((step) => step.instruction === instruction);
}

/** The words of `["node", "main.ts"]`; undefined where it is a line for a shell. */
export function execForm(text: string): string[] | undefined {
  return text.startsWith("[") ? (JSON.parse(text) as string[]) : undefined;
}

/** `A=1 B="two words"` as a record, for ENV and LABEL. */
export function assignments(text: string): Record<string, string> {
  const found = [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)];
  return Object.fromEntries(found.map(([, name = "", quoted, bare]) => [name, quoted ?? bare ?? ""]));
}
