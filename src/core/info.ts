import type { SessionInfo, SessionRecord } from '../record.js'
import { actorOf } from './acting/actor.js'
import { labelOf } from './client/user-agent.js'
import { copyJson } from '../lib/json/json.js'
import { userIdOf } from './user/user-id.js'

/** What may be shown of a session: no hash, and none of the application's data. */
export function infoOf(record: SessionRecord, isCurrent: boolean, isBound: boolean): SessionInfo {
  return {
    id: record.id,
    userId: userIdOf(record),
    user: copyJson(record.user),
    label: labelOf(record.userAgent),
    userAgent: record.userAgent,
    ip: record.ip,
    place: record.place,
    methods: record.methods?.map(({ method, at }) => ({ method, at })) ?? [],
    createdAt: record.createdAt,
    authenticatedAt: record.authenticatedAt,
    lastSeenAt: record.lastSeenAt,
    expiresAt: record.expiresAt,
    absoluteExpiresAt: record.absoluteExpiresAt,
    via: record.via ?? 'cookie',
    isBound,
    actor: actorOf(record),
    acting: record.acting,
    current: isCurrent,
  }
}
