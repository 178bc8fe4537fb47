import { parseDuration } from './duration.js'
import { show } from './invalid.js'
import { readOptions, type Kind, type Owner, type Table, type Values } from './options.js'

/**
 * Any value that passes a test.
 *
 * @example that((value): value is string => typeof value === 'string', 'the id of a session')
 */
export function that<V>(fits: (value: unknown) => value is V, mustBe: string): Kind<V> {
  return (value, place) => (fits(value) ? value : place.mustBe(mustBe))
}

/**
 * A string, and where `fits` is given one that passes it.
 *
 * @example text((name) => name !== '', 'a name of at least one letter')
 */
export function text(fits: (value: string) => boolean = () => true, mustBe = 'a string'): Kind<string> {
  return (value, place) => {
    if (typeof value !== 'string') return place.mustBe('a string')
    return fits(value) ? value : place.mustBe(mustBe)
  }
}

/**
 * True or false.
 *
 * @param words How the message says it.
 * @example boolean()
 */
export function boolean(words = 'a boolean'): Kind<boolean> {
  return that((value) => typeof value === 'boolean', words)
}

/**
 * A whole number between two limits, which are allowed themselves.
 *
 * @example integer(1, 16_000_000)
 */
export function integer(min: number, max?: number): Kind<number> {
  const range = `from ${count(min)}${max === undefined ? ' on' : ` to ${count(max)}`}`
  const fits = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= (max ?? Infinity)
  return that(fits, `an integer ${range}`)
}

/**
 * One of a few words.
 *
 * @example oneOf('fail', 'anonymous')
 */
export function oneOf<T extends string>(...words: readonly T[]): Kind<T> {
  return that((value): value is T => words.includes(value as T), `one of ${quoted(words)}`)
}

/**
 * A list in which each entry is one of a few words.
 *
 * @example someOf('concurrency', 'anyId')
 */
export function someOf<T extends string>(...words: readonly T[]): Kind<readonly T[]> {
  return listOf((one): one is T => words.includes(one as T), `an array with some of ${quoted(words)}`)
}

/**
 * A list of names.
 *
 * @example names("['cart']")
 */
export function names(example: string): Kind<readonly string[]> {
  return listOf((one) => typeof one === 'string', `an array of names, such as ${example}`)
}

function listOf<V>(fits: (entry: unknown) => entry is V, mustBe: string): Kind<readonly V[]> {
  return (value, place) => {
    if (!Array.isArray(value)) return place.mustBe(mustBe)
    const wrong = (value as unknown[]).findIndex((entry) => !fits(entry))
    return wrong === -1 ? (value as V[]) : place.mustBe(mustBe, `one with ${show(value[wrong])}`)
  }
}

/**
 * A path of this site, or an address of another one.
 *
 * @example address('/login')
 */
export function address(example: string): Kind<string> {
  const fits = (value: unknown): value is string => typeof value === 'string' && value !== ''
  return that(fits, `a path or an address, such as '${example}'`)
}

/**
 * The same, or a function that returns one.
 *
 * @example addressOr<(user: object) => string>('/account', "a function, such as (user) => '/account'")
 */
export function addressOr<F>(example: string, orElse: string): Kind<string | F> {
  return (value, place) => {
    if (typeof value === 'function') return value as F
    if (typeof value === 'string' && value !== '') return value
    return place.mustBe(`a path or an address, such as '${example}', or ${orElse}`)
  }
}

/**
 * A function. What it takes and returns can't be checked.
 *
 * @example callback<(id: string) => unknown>('(id) => users.find(id)')
 */
export function callback<F>(example: string): Kind<F> {
  return (value, place) => {
    if (typeof value === 'function') return value as F
    return place.mustBe(`a function, such as ${example}`, value === null ? 'null' : typeof value)
  }
}

/**
 * A duration in milliseconds, as `parseDuration` reads it.
 *
 * @param limits Milliseconds, both allowed themselves, with the words that say so.
 * @example duration({ min: 1, words: 'longer than 0' })
 */
export function duration(limits?: { min: number; max?: number; words: string }): Kind<number> {
  return (value, place) => {
    const ms = parseDuration(value, place.label)
    if (limits === undefined || (ms >= limits.min && ms <= (limits.max ?? Infinity))) return ms
    return place.mustBe(`${limits.words}, for example '1m'`)
  }
}

/**
 * A value of another kind, or `false` to turn the thing off.
 *
 * @example orFalse(duration())
 */
export function orFalse<V>(kind: Kind<V>): Kind<V | false> {
  return (value, place) => (value === false ? value : kind(value, place))
}

/**
 * An object with options of its own.
 *
 * @example group(ofGroup('wait', '{ replicas: 1, timeout: 500 }'), waitTable)
 */
export function group<T extends Table>(owner: Owner, table: T): Kind<Values<T>> {
  return (value) => readOptions(value, owner, table)
}

const count = (value: number): string => value.toLocaleString('en-US')

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ')
