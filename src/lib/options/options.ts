import { unknownNames } from './did-you-mean.js'
import { invalid, show } from './invalid.js'
import { isObject } from '../json/is-object.js'
import { isPromise, isUnwantedPromise } from '../async/promises.js'

/** Where an option stands, for the errors of its kind. */
export interface Place {
  /** The option as the subject of a sentence: `cookie.name`, `The option keep of login()`. */
  readonly label: string
  /** Throws: the option must be this, and it is not. `given` is what was given, in words. */
  readonly mustBe: (what: string, given?: string) => never
}

/** Checks the value of an option and returns it as it is used. `lib/option-kinds.ts` has the common ones. */
export type Kind<V> = (value: unknown, place: Place) => V

/** One option: how it is checked, what holds without it, and a line for the documentation. */
export interface Option<V> {
  readonly kind: Kind<V>
  /** What is used where the option is absent, as a user would write it. It goes through `kind` as well. */
  readonly default?: unknown
  /** The default in Markdown, where a value alone does not say it. */
  readonly defaultText?: string
  /** Whether it must be given. */
  readonly required?: true
  /** What it means, in one line. */
  readonly doc: string
}

/** The options of one function or of one group, by name. */
export type Table = Readonly<Record<string, Option<unknown>>>

/** What `readOptions` returns for a table: options without a default may be `undefined`. */
export type Values<T extends Table> = { readonly [Name in keyof T]: Value<T[Name]> }

type Value<O> =
  O extends Option<infer V>
    ? O extends { readonly default: unknown } | { readonly required: true }
      ? V
      : V | undefined
    : never

/** Whose options they are, and how messages speak of them. */
export interface Owner {
  /** For "cookie has no option …". */
  readonly name: string
  /** All the options together: `The options of login()`. */
  readonly all: string
  /** What could be given, for a message about something that is no object. Without one, the names are listed. */
  readonly example?: string | undefined
  /** Names that users of other packages may try, each with what to do here instead. */
  readonly elsewhere?: Readonly<Record<string, string>>
  /** One option as the subject of a sentence. */
  readonly label: (option: string) => string
  readonly complaint: (label: string, mustBe: string, given: string) => string
}

/**
 * The options of a function, for messages such as "The option keep of login() must be …".
 *
 * @example ofFunction('login()')
 */
export function ofFunction(name: string, example?: string): Owner {
  const label = (option: string) => `The option ${option} of ${name}`
  return { name, all: `The options of ${name}`, example, label, complaint: mustBeSo }
}

/**
 * The options of a store, for messages such as "sqliteStore: the option "table" must be …".
 *
 * @example ofStore('sqliteStore')
 */
export function ofStore(name: string): Owner {
  const label = (option: string) => `${name}: the option "${option}"`
  return { name, all: `${name}: its options`, label, complaint: mustBeSo }
}

/**
 * An option that is an object itself, for messages such as "cookie.name is 7: it must be …".
 *
 * @example ofGroup('cookie', "{ sameSite: 'strict' }")
 */
export function ofGroup(name: string, example: string): Owner {
  const label = (option: string) => `${name}.${option}`
  return { name, all: name, example, label, complaint: isNotSo }
}

const mustBeSo: Owner['complaint'] = (label, mustBe, given) => `${label} must be ${mustBe}, not ${given}.`
const isNotSo: Owner['complaint'] = (label, mustBe, given) => `${label} is ${given}: it must be ${mustBe}.`

/**
 * Checks options and fills in the defaults. Only `undefined` counts as absent.
 *
 * @throws SessionError `OPTION_INVALID` for what is no object, for a name that is not in the table, and for a value
 * that its kind refuses. The message names the option, what was given, and the fix.
 * @example
 * const table = { maxEntries: { kind: integer(1), default: 10_000, doc: 'how many records are held' } } as const
 * const { maxEntries } = readOptions(options, ofStore('nearCache'), table)
 */
export function readOptions<T extends Table>(given: unknown, of: Owner, table: T): Values<T> {
  const names = Object.keys(table)
  if (!isObject(given) || isUnwantedPromise(given) || isForeign(given, names))
    throw noObject(given, of, names)
  const foreign = Object.keys(of.elsewhere ?? {}).find((name) => name in given)
  if (foreign !== undefined)
    throw invalid(`${of.label(foreign)} is no option here: ${of.elsewhere![foreign]}.`)
  unknownNames(given, names, of.name)
  const values = names.map((name) => [name, readOne(table[name]!, given[name], of, name)])
  return Object.fromEntries(values) as Values<T>
}

function readOne(option: Option<unknown>, given: unknown, of: Owner, name: string): unknown {
  const value = given === undefined ? option.default : given
  if (value === undefined && option.required !== true) return undefined
  const label = of.label(name)
  const mustBe: Place['mustBe'] = (what, words = show(value)) => {
    isUnwantedPromise(value)
    throw invalid(of.complaint(label, what, words))
  }
  return option.kind(value, { label, mustBe })
}

/**
 * Whether it is no collection of options, but something else without fields: a date, a Map, a store. Each would pass
 * for options that are all left out.
 */
function isForeign(given: object, names: readonly string[]): boolean {
  const parent = Object.getPrototypeOf(given) as object | null
  // Also that of another realm, such as `node:vm`.
  const isPlain = parent === null || Object.getPrototypeOf(parent) === null
  return !isPlain && Object.keys(given).length === 0 && !names.some((name) => name in given)
}

function noObject(given: unknown, { all, example }: Owner, names: readonly string[]): Error {
  const such = example === undefined ? '' : ` such as ${example}`
  const list = example === undefined ? ` They are ${names.join(', ')}.` : ''
  const words =
    isObject(given) && !isPromise(given) ? `an instance of ${given.constructor.name}` : show(given)
  return invalid(`${all} must be an object${such}, not ${words}.${list}`)
}
