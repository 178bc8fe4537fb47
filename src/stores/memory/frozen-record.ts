import type { Json, JsonObject, SessionRecord } from '../../record.js'

/**
 * A copy of a record that nobody can change, inside and out. Writes are rare and reads are not: frozen once,
 * it is handed out as it is, where a copy for each asker would cost every request more than the lookup.
 *
 * `old` is the record that the new one replaces: id and userId are as they were, and a user or data that
 * come back untouched, as with every touch, are frozen already.
 */
export function frozenRecord(given: SessionRecord, old?: SessionRecord): SessionRecord {
  const { id, userId } = old ?? given
  const unknown = unknownFields(given)
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
    userId,
    user: given.user === old?.user ? given.user : frozenJson(given.user),
    data: given.data === old?.data ? given.data : frozenJson(given.data),
    userAgent: given.userAgent,
    ip: given.ip,
    createdAt: given.createdAt,
    authenticatedAt: given.authenticatedAt,
    lastSeenAt: given.lastSeenAt,
    expiresAt: given.expiresAt,
    absoluteExpiresAt: given.absoluteExpiresAt,
  } satisfies Required<Record<keyof SessionRecord, unknown>>
  return Object.freeze(unknown === undefined ? record : { ...record, ...unknown })
}

/** Fields that this version does not know: another store may hold records that a later version wrote. */
function unknownFields(given: SessionRecord): JsonObject | undefined {
  let found: Record<string, Json> | undefined
  for (const name in given) {
    if (name in known) continue
    found ??= {}
    found[name] = given[name as keyof SessionRecord] as Json
  }
  return frozenJson(found)
}

const known: Required<Record<keyof SessionRecord, true>> = {
  id: true,
  version: true,
  secretHash: true,
  seriesHash: true,
  rotatedAt: true,
  nextHash: true,
  priorHash: true,
  priorUntil: true,
  unusedRotations: true,
  endedBy: true,
  userId: true,
  user: true,
  data: true,
  userAgent: true,
  ip: true,
  createdAt: true,
  authenticatedAt: true,
  lastSeenAt: true,
  expiresAt: true,
  absoluteExpiresAt: true,
}

/** Through JSON, as in every other store, so that nothing works here that would not work there. */
function frozenJson<T extends JsonObject | undefined>(value: T): T {
  return value === undefined ? value : frozen(JSON.parse(JSON.stringify(value)) as T)
}

function frozen<T extends Json | undefined>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
