import { type Figure, figureOf, type Measurement } from "./figures.ts";

/** Says each figure as a JSON line as soon as it is known, and all of them as a table at the end. */
export class Report {
  readonly #figures: Figure[] = [];

  add(measurement: Measurement): void {
    const figure = figureOf(measurement);
    this.#figures.push(figure);
    say(JSON.stringify(figure));
  }

  /** A line for the reader: what runs now, or what is left out and why. Not on standard output, which holds figures. */
  note(text: string): void {
    process.stderr.write(`# ${text}\n`);
  }

  printTable(): void {
    const rows = this.#figures.map(cells);
    const all = [["figure", "value", "floor", "ratio", "target", ""], ...rows];
    const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
    say("");
    for (const row of all)
      say(
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd(),
      );
    const missed = this.#figures.filter(({ ok }) => ok === false).length;
    const held = this.#figures.filter(({ ok }) => ok === true).length;
    say(`\n${held} targets met, ${missed} missed`);
  }
}

function cells({ name, value, unit, floor, ratio, target, ok }: Figure): string[] {
  const verdict = ok === null ? "" : ok ? "met" : "MISSED";
  return [
    name,
    `${value} ${unit}`,
    floor === null ? "" : `${floor} ${unit}`,
    ratio === null ? "" : `${ratio} ×`,
    target ?? "",
    verdict,
  ];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
