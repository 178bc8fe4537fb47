import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { v7 } from 'uuid'
import { encodeRecord } from '../record.js'
import type { JsonObject, SessionRecord } from '../record.js'

const HOUR = 3_600_000

/** A guest: a session of nobody. For `makeRecord`. */
export const guest = { userId: undefined, user: undefined } as const

/**
 * A valid, fresh record: a new UUIDv7, random hashes, a user of its own, created now, with a week until the
 * idle deadline and thirty days until the absolute one.
 *
 * @param overrides Fields to replace. `{ userId: undefined }` makes a guest.
 * @example await store.insert(makeRecord({ userId: 'ann', data: { cart: ['tea'] } }))
 */
export function makeRecord(overrides: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now()
  const userId = 'userId' in overrides ? overrides.userId : freshUserId()
  return {
    id: v7(),
    version: 1,
    secretHash: randomBytes(32).toString('base64url'),
    seriesHash: randomBytes(32).toString('base64url'),
    ...(userId === undefined ? {} : { userId, user: { id: userId, name: 'Ann' } }),
    data: {},
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0',
    ip: '203.0.113.7',
    createdAt: now,
    authenticatedAt: now,
    lastSeenAt: now,
    expiresAt: now + 7 * 24 * HOUR,
    absoluteExpiresAt: now + 30 * 24 * HOUR,
    ...overrides,
  }
}

/**
 * A user id that no other test has.
 *
 * @example makeRecord({ userId: freshUserId() })
 */
export function freshUserId(): string {
  return `user-${randomUUID()}`
}

/**
 * The record that follows: the next version, with changes.
 *
 * @example await store.update(nextOf(record, { data: {} }), record.version)
 */
export function nextOf(record: SessionRecord, changes: Partial<SessionRecord> = {}): SessionRecord {
  return { ...record, ...changes, version: record.version + 1 }
}

/**
 * What a rotation of its secret adds to a record.
 *
 * @example makeRecord(rotated())
 */
export function rotated(): Partial<SessionRecord> {
  const hash = () => randomBytes(32).toString('base64url')
  const now = Date.now()
  return {
    rotatedAt: now - 1,
    nextHash: hash(),
    priorHash: hash(),
    priorUntil: now + HOUR,
    unusedRotations: 2,
  }
}

/**
 * Fields that a later version of this package may add.
 *
 * @example makeRecord({ ...fromTheFuture() })
 */
export function fromTheFuture(): object {
  return { later: { list: [1, { text: 'later' }], none: null }, laterAt: Date.now(), laterHash: '' }
}

/**
 * Fails unless the store returned this very record. A field that is `undefined` may as well be absent.
 *
 * @example assertRecord(await store.get(record.id), record)
 */
export function assertRecord(actual: SessionRecord | undefined, expected: SessionRecord): void {
  assert.ok(actual !== undefined, 'the record was not found')
  assert.deepStrictEqual(JSON.parse(encodeRecord(actual)), JSON.parse(encodeRecord(expected)))
}

/**
 * Tries to change everything that can be reached from a record; a frozen record may refuse.
 *
 * @example spoil(record)
 */
export function spoil(record: SessionRecord): void {
  for (const inner of [record.data, record.user]) {
    if (inner !== undefined) spoilObject(inner)
  }
  Reflect.set(record, 'version', 99)
  Reflect.set(record, 'ip', 'spoilt')
  Reflect.set(record, 'data', { spoilt: true })
  Reflect.deleteProperty(record, 'secretHash')
}

function spoilObject(object: object): void {
  for (const value of Object.values(object)) {
    if (typeof value === 'object' && value !== null) spoilObject(value)
  }
  if (Array.isArray(object)) Reflect.set(object, object.length, 'spoilt')
  else Reflect.set(object, 'spoilt', true)
}

/** What text fields must keep. Each has broken some store: separators, escapes, ends of text, lone surrogates. */
export const awkwardTexts = [
  '',
  ' ',
  'a\0b',
  '\0',
  `"double" 'single' \`back\` \\ \\" \\u0000`,
  'line\nfeed\r\ttab',
  'žluťoučký 漢字 🙂 \u202E',
  'e\u0301 é',
  '\uD800',
  'a\uDC00b',
  '%_*?[a-z]{}:;--/**/$1 ?',
  'undefined',
  'null',
] as const

/**
 * Every kind of JSON value, and keys that mean something to an object or to a query.
 *
 * @example makeRecord({ data: awkwardObject() })
 */
export function awkwardObject(): JsonObject {
  const keys = ['__proto__', 'constructor', 'toString', 'a.b', '$set', '0', ...awkwardTexts]
  return {
    ...(JSON.parse(`{${keys.map((key) => `${JSON.stringify(key)}:{"kept":true}`).join(',')}}`) as JsonObject),
    texts: [...awkwardTexts],
    numbers: [0, -1, 1.5, 1e-7, 1e21, 2 ** 53 - 1, -(2 ** 53 - 1)],
    others: [null, true, false, [], {}, [[]], { a: { b: { c: [{}] } } }],
  }
}

/**
 * Ids that were never given out. The first ones resemble one that was.
 *
 * @example for (const id of strangeIds(record.id)) await store.get(id)
 */
export function strangeIds(taken: string): string[] {
  return [
    taken.toUpperCase(),
    `${taken} `,
    ` ${taken}`,
    `${taken}\0`,
    `{${taken}}`,
    taken.replaceAll('-', ''),
    taken.slice(0, -1),
    `${taken.slice(0, -1)}%`,
    '*',
    '../../etc/passwd',
    '__proto__',
    'constructor',
    'x'.repeat(100_000),
    ...awkwardTexts,
  ]
}
