import { hiddenField } from '../lib/hidden-field.js'
import type { JsonObject, SessionRecord } from '../record.js'
import type { SessionObject } from './classes/types.js'

/** Where a session comes from: what was stored when this request read it. */
export interface Origin {
  /** Its express-session id. */
  readonly sid: string
  /** Its data as it was read, or as this request has saved it: what changes are compared with. */
  text: string
  data: JsonObject | undefined
  /** Whether the store has it. A session that was just made is not there before it is saved. */
  isStored: boolean
  /** The order in which sessions were read and ended in this process. */
  readonly readAt: number
  /** The record, in a store of this package. */
  record: SessionRecord | undefined
}

const origins = hiddenField<Origin>()

/** What a session, or what a store returned for it, comes from. */
export function originOf(session: object): Origin | undefined {
  return origins.of(session)
}

export function setOrigin(session: object, origin: Origin): void {
  origins.set(session, origin)
}

/** The data that changes are compared with. */
export function baseOf(origin: Origin): JsonObject {
  return (origin.data ??= JSON.parse(origin.text) as JsonObject)
}

/** What was just read from a store of express-session, or written to it. */
export function originFor(sid: string, text: string, readAt = nextPlace()): Origin {
  return { sid, text, data: undefined, isStored: true, readAt, record: undefined }
}

/** Writes a session that belongs to no request. */
export type Saver = (session: SessionObject) => Promise<void>

const savers = new WeakMap<object, Saver>()

/** How sessions in this store are written, where `store.set()` would write one that has ended. */
export function saverOf(store: object): Saver | undefined {
  return savers.get(store)
}

export function setSaver(store: object, saver: Saver): void {
  savers.set(store, saver)
}

let order = 0

/** The next place in the order of what happens in this process. */
export function nextPlace(): number {
  return (order += 1)
}
