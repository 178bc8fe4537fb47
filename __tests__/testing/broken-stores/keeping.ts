import type { JsonObject, SessionRecord } from '../../../src/record.js'
import { makeRecord } from '../../../src/testing/records.js'
import { broken, type BrokenStore, type Patch } from './broken.js'
import { copy } from './correct-store.js'

/** A store that keeps each record as `change` makes it. */
const keepsAs = (change: (record: SessionRecord) => SessionRecord): Patch => {
  return (good) => ({
    insert: (record) => good.insert(change(copy(record))),
    update: (record, ifVersion) => good.update(change(copy(record)), ifVersion),
  })
}

/** The same change to each text of a value, keys included. */
function eachText<T>(value: T, change: (text: string) => string): T {
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) => {
    if (typeof inner === 'string') return change(inner)
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).map(([key, kept]) => [change(key), kept as unknown]))
  }) as T
}

const known = new Set(Object.keys(makeRecord({ userId: 'ann' })))

export const keeping: readonly BrokenStore[] = [
  broken(
    'fields that it does not know are lost',
    ['insert: fields of a later version', 'update: fields of a later version'],
    keepsAs(
      (record) =>
        Object.fromEntries(
          Object.entries(record).filter(([name]) => known.has(name)),
        ) as unknown as SessionRecord,
    ),
  ),
  broken(
    'lastSeenAt is kept as the time of creation',
    ['insert: get returns every field', 'insert: versions and times are'],
    keepsAs((record) => ({ ...record, createdAt: record.lastSeenAt })),
  ),
  broken(
    'versions begin at 1',
    ['insert: get returns every field', 'insert: versions and times are'],
    (good) => ({ insert: (record) => good.insert({ ...record, version: 1 }) }),
  ),
  broken(
    'a key __proto__ is lost',
    ['insert: awkward text, numbers and keys'],
    keepsAs((record) => {
      const data: Record<string, JsonObject[string]> = {}
      for (const [key, value] of Object.entries(record.data)) data[key] = value
      return { ...record, data }
    }),
  ),
  broken(
    'texts are cut at a NUL',
    ['insert: awkward text, numbers and keys', 'insert: awkward text in userId'],
    keepsAs((record) => eachText(record, (text) => text.replace(/\0.*/s, ''))),
  ),
  broken(
    'half characters become question marks',
    ['insert: awkward text, numbers and keys', 'insert: awkward text in userId'],
    keepsAs((record) => eachText(record, (text) => Buffer.from(text).toString())),
  ),
  broken(
    'texts lose the blanks at their ends',
    ['insert: awkward text, numbers and keys', 'insert: awkward text in userId', 'insert: a user and data'],
    keepsAs((record) => eachText(record, (text) => text.trimEnd())),
  ),
  broken(
    'versions are kept in 16 bits',
    ['insert: versions and times are'],
    keepsAs((record) => ({ ...record, version: record.version % 2 ** 16 })),
  ),
  broken(
    'times are kept in 48 bits',
    ['insert: versions and times are'],
    keepsAs((record) => ({ ...record, expiresAt: record.expiresAt % 2 ** 48 })),
  ),
  broken(
    'fractions are cut off',
    ['insert: awkward text, numbers and keys'],
    keepsAs((record) => JSON.parse(JSON.stringify(record), truncate) as SessionRecord),
  ),
  broken(
    'empty texts become null',
    ['insert: awkward text in userId'],
    keepsAs((record) => ({ ...record, ip: record.ip === '' ? (null as unknown as string) : record.ip })),
  ),
  broken('a record larger than 64 kB is refused', ['insert: a user and data'], (good) => ({
    async insert(record) {
      if (JSON.stringify(record).length > 65_535) throw new Error('too long')
      return good.insert(record)
    },
  })),
  broken(
    'a guest becomes the user "null"',
    ['insert: a guest without userId'],
    keepsAs((record) => ({ ...record, userId: record.userId ?? 'null' })),
  ),
  broken('guests are refused', ['insert: a guest without userId'], (good) => ({
    async insert(record) {
      if (record.userId === undefined) throw new Error('userId must not be null')
      return good.insert(record)
    },
  })),
]

function truncate(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.trunc(value) : value
}
