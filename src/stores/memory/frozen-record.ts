import { deepFreeze } from '../../lib/json/freeze.js'
import { throughJson } from '../../lib/json/json.js'
import type { SessionRecord } from '../../record.js'

/**
 * A copy of a record that nobody can change, at any depth. Reads are far more frequent than writes: a frozen
 * record is returned as it is, while a copy for each caller would cost more than the lookup.
 *
 * @param old The record that the new one replaces. Its id and userId stay, and a user or data that did not
 * change, as with every touch, are frozen already.
 * @example entry.record = frozenRecord(given, entry.record)
 */
export function frozenRecord(given: SessionRecord, old?: SessionRecord): SessionRecord {
  const { id, userId } = old ?? given
  // Field by field: V8 keeps a frozen `{ ...given }` as a dictionary, which takes nearly twice the memory.
  const record = {
    id,
    version: given.version,
    secretHash: given.secretHash,
    seriesHash: given.seriesHash,
    rotatedAt: given.rotatedAt,
    nextHash: given.nextHash,
    priorHash: given.priorHash,
    priorUntil: given.priorUntil,
    unusedRotations: given.unusedRotations,
    endedBy: given.endedBy,
    providerSession: given.providerSession,
    binding: given.binding === old?.binding ? given.binding : frozen(given.binding),
    via: given.via,
    userId,
    userIdType: given.userIdType,
    user: given.user === old?.user ? given.user : frozen(given.user),
    authVersion: given.authVersion,
    actor: given.actor === old?.actor ? given.actor : frozen(given.actor),
    acting: given.acting,
    data: given.data === old?.data ? given.data : frozen(given.data),
    methods: given.methods === old?.methods ? given.methods : frozen(given.methods),
    lifetime: given.lifetime === old?.lifetime ? given.lifetime : frozen(given.lifetime),
    cookie: given.cookie === old?.cookie ? given.cookie : frozen(given.cookie),
    userAgent: given.userAgent,
    ip: given.ip,
    place: given.place,
    createdAt: given.createdAt,
    authenticatedAt: given.authenticatedAt,
    lastSeenAt: given.lastSeenAt,
    expiresAt: given.expiresAt,
    absoluteExpiresAt: given.absoluteExpiresAt,
  } satisfies Required<Record<keyof SessionRecord, unknown>>
  for (const name in given) if (!Object.hasOwn(record, name)) keepUnknown(name, given, old, record)
  return Object.freeze(record)
}

/** A field of a newer version of this package. A node of this version keeps it, whatever it is. */
function keepUnknown(name: string, given: object, old: object | undefined, record: object): void {
  const value: unknown = Reflect.get(given, name)
  const isAsBefore = old !== undefined && Reflect.get(old, name) === value
  Reflect.set(record, name, isAsBefore ? value : deepFreeze(throughJson(value)))
}

/** Through JSON, as in every other store, so that nothing works here that would not work there. */
function frozen<T extends object | undefined>(value: T): T {
  return deepFreeze(throughJson(value)) as T
}
