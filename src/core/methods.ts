import type { ProvenMethod, SessionRecord } from '../record.js'

/** A session keeps so many methods. Every request reads them. */
export const MAX_METHODS = 8

/**
 * What a session keeps of how its user has proven who they are, newest first.
 *
 * @param before what the session keeps that this one takes the place of.
 * @param proven the methods of now; absent where nobody has said.
 */
export function withMethods(
  before: readonly ProvenMethod[] = [],
  proven: readonly string[] = [],
  now: number,
): readonly ProvenMethod[] | undefined {
  const others = before.filter(({ method }) => !proven.includes(method))
  const all = [...proven.map((method) => ({ method, at: now })), ...others]
  return all.length === 0 ? undefined : all.slice(0, MAX_METHODS)
}

/**
 * Whether the user of a session has proven who they are within this time. Never in a session in which another user acts.
 *
 * @param methods if given, by one of these.
 */
export function isRecent(
  { authenticatedAt, methods: proven = [], actor }: SessionRecord,
  now: number,
  within: number,
  methods: readonly string[] | undefined,
): boolean {
  // Whoever acts as the user is not the user.
  if (actor !== undefined) return false
  const isWithin = (at: number) => now - at < within
  if (methods === undefined) return isWithin(authenticatedAt)
  return proven.some(({ method, at }) => methods.includes(method) && isWithin(at))
}
