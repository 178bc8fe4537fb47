import { SessionError } from '../../errors.js'
import type { JsonObject, SessionRecord } from '../../record.js'
import type { Marks } from './marks.js'

/** One session at a provider has so many sessions here: the newest of them are found. */
const MAX_SESSIONS = 20
/** A login that is under way while its provider's session ends will have been acknowledged, or not, by then. */
const KEPT_AFTER_END_MS = 600_000

type Added = Pick<SessionRecord, 'id' | 'authenticatedAt' | 'absoluteExpiresAt'>

/** Which sessions were begun by which session at a provider: for logouts that name only that one. */
export class ProviderSessions {
  constructor(private readonly marks: Marks) {}

  /**
   * Remembers whose session at the provider has begun a session here, as long as that can live.
   *
   * @throws SessionError SESSION_ENDED where the provider has ended its own meanwhile.
   */
  async add(providerSession: string, record: Added): Promise<void> {
    const { id, authenticatedAt, absoluteExpiresAt: until } = record
    const texts = [providerSession]
    if ((await this.marks.put('providerSession', texts, { sessions: [id] }, until)) !== undefined) return
    const mark = await this.marks.find('providerSession', texts)
    // It has expired in this moment.
    if (mark === undefined) return this.add(providerSession, record)
    const edit = (data: JsonObject): JsonObject => {
      if (authenticatedAt < endedBefore(data)) throw endedThere()
      return { ...data, sessions: [...sessionsIn(data), id].slice(-MAX_SESSIONS) }
    }
    if ((await this.marks.change(mark, edit, until)) === undefined) throw endedThere()
  }

  /**
   * The ids of the sessions that a session at the provider has begun. From now on no login joins them that began before
   * this time: it would be acknowledged after its end.
   */
  async end(providerSession: string, before: number): Promise<readonly string[]> {
    const texts = [providerSession]
    const until = Date.now() + KEPT_AFTER_END_MS
    const ended = { sessions: [], endedBefore: before }
    const found = await this.marks.find('providerSession', texts)
    const mark = found ?? (await this.marks.put('providerSession', texts, ended, until))
    // A login has put it there in this moment.
    if (mark === undefined) return this.end(providerSession, before)
    const edit = (data: JsonObject): JsonObject =>
      endedBefore(data) >= before ? data : { ...data, endedBefore: before }
    const changed = await this.marks.change(mark, edit, until)
    return changed === undefined ? [] : sessionsIn(changed.data)
  }
}

function sessionsIn({ sessions }: JsonObject): readonly string[] {
  return Array.isArray(sessions) ? sessions.filter((id) => typeof id === 'string') : []
}

function endedBefore(data: JsonObject): number {
  return typeof data.endedBefore === 'number' ? data.endedBefore : 0
}

function endedThere(): SessionError {
  return new SessionError(
    'SESSION_ENDED',
    'The identity provider has ended its session during this login. Log in again.',
  )
}
