import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '../lib/json/json.js'

/**
 * What two requests have made of one session's data, together: a merge of three, key by key.
 *
 * What only one side has changed is taken from there. Plain objects are merged in the same way, at any depth. Lists that
 * both sides have only appended to are joined. **A removal always wins**: `delete req.session.user` is a logout, and no
 * other request brings that user back; nor does one after `req.session.user = null`. Where both have changed one value to different ones, the last write wins: `mine`.
 *
 * @param base the data as this request has read it.
 * @param mine what this request made of it.
 * @param theirs what is stored now: what the others made of it.
 * @example merge({ n: 1 }, { n: 1, a: 1 }, { n: 1, b: 1 }) // { n: 1, a: 1, b: 1 }
 */
export function merge(base: JsonObject, mine: JsonObject, theirs: JsonObject): JsonObject {
  const merged: Record<string, Json> = {}
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const value = mergeOne(own(base, key), own(mine, key), own(theirs, key))
    // Defined, not assigned: `__proto__` is a key as any other.
    if (value !== undefined)
      Object.defineProperty(merged, key, { value, enumerable: true, writable: true, configurable: true })
  }
  return merged
}

type Value = Json | undefined

/** The same for one value; `undefined` where it is removed. */
function mergeOne(base: Value, mine: Value, theirs: Value): Value {
  if (isDeepStrictEqual(base, mine)) return theirs
  if (isDeepStrictEqual(base, theirs) || isDeepStrictEqual(mine, theirs)) return mine
  if (mine === undefined || theirs === undefined) return base === undefined ? (mine ?? theirs) : undefined
  // `req.session.user = null` is a logout as well: no other request's change of that user undoes it.
  if (base !== undefined && (mine === null || theirs === null)) return null
  if (isPlain(mine) && isPlain(theirs)) return merge(isPlain(base) ? base : {}, mine, theirs)
  if (Array.isArray(mine) && Array.isArray(theirs)) return joined(base, mine, theirs) ?? mine
  return mine
}

/** The list with what both sides have appended; `undefined` where one of them did more than that. */
function joined(base: Value, mine: readonly Json[], theirs: readonly Json[]): Json[] | undefined {
  const before = Array.isArray(base) ? (base as Json[]) : base === undefined ? [] : undefined
  if (before === undefined || !beginsWith(mine, before) || !beginsWith(theirs, before)) return undefined
  return [...theirs, ...mine.slice(before.length)]
}

function beginsWith(list: readonly Json[], start: readonly Json[]): boolean {
  return list.length >= start.length && start.every((entry, at) => isDeepStrictEqual(entry, list[at]))
}

function isPlain(value: Value): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(object: JsonObject, key: string): Value {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
