/** One measured number, and what it is held against. */
export interface Figure {
  /** Such as `wake.mqtt.p50`. */
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What nothing of ours could beat, measured the same way in the same run. */
  readonly floor: number | null;
  /** Value divided by floor. */
  readonly ratio: number | null;
  /** In words, such as `≤ 2.5 × floor`; null where a figure only informs. */
  readonly target: string | null;
  readonly ok: boolean | null;
}

type Bound = { readonly atMost: number } | { readonly atLeast: number };

export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly floor?: number;
  /** A bound on the value itself. */
  readonly bound?: Bound;
  /** A bound on how many times the floor the value is. */
  readonly ratio?: Bound;
}

export function figureOf({ name, value, unit, floor, bound, ratio: ratioBound }: Measurement): Figure {
  const ratio = floor === undefined ? null : value / floor;
  const held = bound ? { bound, against: value, unit: ` ${unit}` } : null;
  const heldRatio = ratioBound && ratio !== null ? { bound: ratioBound, against: ratio, unit: " × floor" } : null;
  const target = held ?? heldRatio;
  return {
    name,
    value: rounded(value),
    unit,
    floor: floor === undefined ? null : rounded(floor),
    ratio: ratio === null ? null : rounded(ratio),
    target: target && `${words(target.bound)}${target.unit}`,
    ok: target && isWithin(target.against, target.bound),
  };
}

function isWithin(value: number, bound: Bound): boolean {
  return "atMost" in bound ? value <= bound.atMost : value >= bound.atLeast;
}

function words(bound: Bound): string {
  return "atMost" in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`;
}

/** Three digits that count. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
