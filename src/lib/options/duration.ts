import { invalid, show } from './invalid.js'

/** Milliseconds, or a whole number with a unit: `'500ms'`, `'30s'`, `'30m'`, `'12h'`, `'7d'`, `'2w'`. */
export type Duration = number | string

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/**
 * A duration in milliseconds.
 *
 * @param value Milliseconds as a whole number from 0, or a whole number with a unit. There are no months: their
 * length varies.
 * @param name The option that it came from, for the error.
 * @throws SessionError `OPTION_INVALID` for anything else. A text without a unit such as `'30'` is refused: some
 * libraries read it as seconds, others as milliseconds.
 * @example parseDuration('30m', 'idleTimeout') // 1_800_000
 */
export function parseDuration(value: unknown, name: string): number {
  const ms = typeof value === 'string' ? fromText(value) : value
  if (Number.isSafeInteger(ms) && Number(ms) >= 0) return Number(ms)
  throw invalid(
    `${name} is ${show(value)}, which is not a duration. Give whole milliseconds such as 1800000, ` +
      `or a whole number with a unit: '500ms', '30s', '30m', '12h', '7d' or '2w'.`,
  )
}

function fromText(text: string): number {
  const [, count, unit] = /^(\d+)(ms|[smhdw])$/.exec(text) ?? []
  return count === undefined ? NaN : Number(count) * unitMs[unit as keyof typeof unitMs]
}
