import { SessionError } from '../errors.js'

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/**
 * A length of time in milliseconds.
 *
 * @param value Milliseconds as a whole number from 0, or a whole number with its unit: `'500ms'`, `'30s'`,
 * `'30m'`, `'12h'`, `'7d'`, `'2w'`. There are no months: their length varies.
 * @param name The option that it came from, for the error.
 * @throws SessionError `OPTION_INVALID` for anything else. A bare `'30'` is refused, not guessed at: some
 * libraries read it as seconds, others as milliseconds.
 */
export function parseDuration(value: number | string, name: string): number {
  const ms = typeof value === 'string' ? fromText(value) : value
  if (Number.isSafeInteger(ms) && ms >= 0) return ms
  throw new SessionError(
    'OPTION_INVALID',
    `${name} is ${show(value)}, which is not a duration. Give whole milliseconds such as 1800000, ` +
      `or a whole number with a unit: '500ms', '30s', '30m', '12h', '7d' or '2w'.`,
  )
}

function fromText(text: string): number {
  const [, count, unit] = /^(\d+)(ms|[smhdw])$/.exec(text) ?? []
  return count === undefined ? NaN : Number(count) * unitMs[unit as keyof typeof unitMs]
}

/** What was given, short: it may be anything at all, since JavaScript callers are not type-checked. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  return typeof value === 'number' ? String(value) : `of type ${value === null ? 'null' : typeof value}`
}
