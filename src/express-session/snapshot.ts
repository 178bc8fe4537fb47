import { isTooDeep, type JsonObject } from '../lib/json/json.js'
import { SessionError } from '../errors.js'
import { Session } from './classes/session.js'
import type { StoredData } from './classes/types.js'

const texts = new WeakMap<JsonObject, string>()

/** What a session holds besides its cookie, as JSON text: two texts tell whether it has changed. */
export function textOf(session: StoredData): string {
  const { cookie: _cookie, ...data } = session
  return JSON.stringify(data)
}

/** What a session holds at a moment: its data, which shares nothing with the session, and that as text. */
export interface Snapshot {
  readonly data: JsonObject
  readonly text: string
}

export function snapshotOf(session: StoredData): Snapshot {
  try {
    const text = textOf(session)
    const data = JSON.parse(text) as JsonObject
    if (isTooDeep(data)) throw new RangeError('It is nested too deep.')
    return { data, text }
  } catch (cause) {
    throw new SessionError('DATA_INVALID', `req.session can't be kept as JSON. Keep plain data in it.`, {
      cause,
    })
  }
}

export function dataOf(session: StoredData): JsonObject {
  return snapshotOf(session).data
}

/** The text of a record's data, which never changes: requests that find the same record share it. */
export function textOfData(data: JsonObject): string {
  let text = texts.get(data)
  if (text === undefined) texts.set(data, (text = JSON.stringify(data)))
  return text
}

/**
 * The part of a record's data that `req.session` can show. What has the name of one of its methods is not there, and so
 * has not been removed from there.
 */
export function shownOf(data: JsonObject): JsonObject {
  const names = Object.keys(data)
  if (!names.some(isHidden)) return data
  return Object.fromEntries(names.filter((name) => !isHidden(name)).map((name) => [name, data[name]!]))
}

function isHidden(name: string): boolean {
  return name === 'cookie' || name in Session.prototype
}
