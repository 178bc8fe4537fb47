import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { SessionError } from '../../errors.js'
import { pause } from '../../lib/async/timers.js'
import type { JsonObject, RecordLifetime } from '../../record.js'
import type { Beginning, Started } from '../beginning.js'
import type { Client } from '../client/client.js'
import { isExpired } from '../lifetime.js'
import type { Mark, Marks } from '../marks/marks.js'
import type { Records } from '../records/records.js'
import type { Settings } from '../settings.js'
import { keepUser } from '../user/user.js'
import { adoptedToken, canonicalCookie } from './adopted-token.js'

/** So long a browser that has not received its new cookie gets it again. */
const RETRY_MS = 300_000
/** A session that was not started by then will not be: its process has died. Longer than a start takes. */
const STALLED_MS = 10_000
const POLL_MS = 20

/** The session that an old cookie has started, now or a moment ago; or nothing, where it is of no use any more. */
export type Adopted = Pick<Started, 'record' | 'token'> | 'closed'

/** An old cookie, with the user that it names. */
export interface OldLogin {
  readonly user: unknown
  /** The value of the cookie. */
  readonly cookie: string
  readonly client: Client
  readonly lifetime: RecordLifetime | undefined
}

/** What the mark of a cookie says: which session it starts or has started, and since when. */
type Use = {
  readonly state: 'starting' | 'started'
  readonly sessionId: string
  readonly salt: string
  readonly at: number
}

/** Lets a cookie of another system start one session, on any node, once. */
export class Adoption {
  constructor(
    private readonly marks: Marks,
    private readonly records: Records,
    private readonly beginning: Beginning,
    private readonly settings: Settings,
    /** When old cookies end to count: the marks are kept until then. */
    private readonly until: number,
  ) {}

  /**
   * The session that an old cookie starts for the user that it names.
   *
   * @throws SessionError as a login does; 503 when the store fails, or another request has been starting the session for
   * too long.
   */
  async adopt(login: OldLogin): Promise<Adopted> {
    const { userId } = keepUser(login.user, this.settings)
    // The user is a part of it: what only looks like the same cookie never leads to somebody else's session.
    const texts = [userId, canonicalCookie(login.cookie)] as const
    const deadline = performance.now() + this.records.timeout
    for (;;) {
      const { mark, isOurs } = await this.#claim(texts)
      const started = isOurs ? await this.#start(mark, login, texts) : undefined
      if (started !== undefined) return started
      if (!isOurs && useIn(mark).state === 'started') return this.#again(mark, texts)
      if (performance.now() > deadline) throw tooSlow()
      await pause(POLL_MS)
    }
  }

  /** From now on no old cookie of this user starts a session: all of the user's sessions are being ended. */
  async closeFor(userId: string): Promise<void> {
    if (Date.now() < this.until) await this.marks.put('adoptionClosed', [userId], {}, this.until)
  }

  /** The mark of a cookie, and whether it is for this request to start the session. */
  async #claim(texts: readonly string[]): Promise<{ mark: Mark; isOurs: boolean }> {
    const fresh = starting()
    const put = await this.marks.put('adopted', texts, fresh, Math.max(this.until, Date.now() + RETRY_MS))
    if (put !== undefined) return { mark: put, isOurs: true }
    const mark = await this.marks.find('adopted', texts)
    if (mark === undefined) throw tooSlow()
    const { state, at, sessionId } = useIn(mark)
    if (state === 'started' || Date.now() - at < STALLED_MS) return { mark, isOurs: false }
    // The process that was starting it has died. What it may have stored is nobody's.
    const taken = await this.marks.change(mark, (data) => (isStarting(data, sessionId) ? { ...fresh } : data))
    const isOurs = taken?.data.sessionId === fresh.sessionId
    if (isOurs) await this.records.delete(sessionId)
    return { mark: taken ?? mark, isOurs }
  }

  /** Starts the session; nothing where it turns out to be somebody else's to start, or nobody's any more. */
  async #start(
    mark: Mark,
    { user, client, lifetime }: OldLogin,
    texts: readonly [string, string],
  ): Promise<Adopted | undefined> {
    const { sessionId, salt } = useIn(mark)
    const minted = adoptedToken(sessionId, salt, texts[1])
    const settle = async (edit: Partial<Use>) =>
      this.marks.change(mark, (data) => (isStarting(data, sessionId) ? { ...data, ...edit } : data))
    let isLost = false
    const acknowledge = async () => {
      // Looked at once the session is stored: whoever ends all sessions of the user meanwhile either sees this one, or is
      // seen here.
      const isClosed = (await this.marks.find('adoptionClosed', [texts[0]])) !== undefined
      const settled = await settle({ state: 'started', at: isClosed ? 0 : Date.now() })
      isLost = isClosed || settled?.data.sessionId !== sessionId
      if (isLost) throw tooSlow()
    }
    // When the user last proved who they are is not known here: long ago.
    const terms = { minted, lifetime, authenticatedAt: 0 }
    try {
      return await this.beginning.adopt(user, client, terms, acknowledge)
    } catch (error) {
      if (!isLost) {
        // The next request may try at once.
        await settle({ at: 0 }).catch(() => undefined)
        throw error
      }
      await this.records.delete(sessionId)
      return undefined
    }
  }

  /** The session that a cookie has started a moment ago, as long as its browser may not have the new cookie. */
  async #again(mark: Mark, texts: readonly [string, string]): Promise<Adopted> {
    const { sessionId, salt, at } = useIn(mark)
    if (Date.now() - at >= RETRY_MS) return 'closed'
    const record = await this.records.findFresh(sessionId)
    const { token, secretHash } = adoptedToken(sessionId, salt, texts[1])
    // With another secret it has rotated: then the browser has received the cookie, and whoever comes now is another one.
    const isOpen = record !== undefined && !isExpired(record, Date.now()) && record.secretHash === secretHash
    return isOpen ? { record, token } : 'closed'
  }
}

function starting(): Use {
  return {
    state: 'starting',
    sessionId: uuidv7(),
    salt: randomBytes(32).toString('base64url'),
    at: Date.now(),
  }
}

function isStarting(data: JsonObject, sessionId: string): boolean {
  return data.state === 'starting' && data.sessionId === sessionId
}

function useIn({ data }: Mark): Use {
  return data as Use
}

function tooSlow(): SessionError {
  return new SessionError(
    'CONFLICT',
    'Another request has been starting the session of this old cookie for too long. Ask again.',
  )
}
