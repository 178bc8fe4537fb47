import type { SessionRecord } from '../../record.js'
import type { Client } from '../client/client.js'
import { touched } from '../lifetime.js'
import type { LiveRecords } from '../records/live-records.js'
import type { Settings } from '../settings.js'
import type { AuthVersions } from '../user/auth-versions.js'
import { userOf } from '../user/user.js'

/** Who acts in an acting session, for each of its requests. */
export class ActingSessions {
  constructor(
    private readonly live: LiveRecords,
    private readonly settings: Settings,
    private readonly versions: AuthVersions | undefined,
  ) {}

  /**
   * The actor of an acting session, as the application knows them; `undefined` where their own session has ended, or there
   * is no such user any more. Using the acting session is using the actor's own as well.
   */
  async actorOf(acting: SessionRecord, client: Client): Promise<unknown> {
    const own = await this.live.find(acting.actor!.sessionId)
    if (own === undefined) return undefined
    const actor = await userOf(own, this.settings)
    if (actor === undefined) return undefined
    const current = this.versions === undefined ? own : await this.versions.admit(own, actor, client)
    if (current === undefined) return undefined
    await this.#touch(current, acting.lastSeenAt, client)
    return actor
  }

  /** The touch of an acting session, which is one of the actor's own as well. Never rejects. */
  touchingBoth(acting: SessionRecord, client: Client, touch: () => unknown): () => unknown {
    if (acting.actor === undefined) return touch
    const usedAt = Date.now()
    return async () => {
      await touch()
      await this.keepUp(acting, usedAt, client)
    }
  }

  /**
   * The actor's own session has been used at this time, through the acting one. Otherwise it would idle out first, and the
   * acting one with it. Never rejects.
   */
  async keepUp(acting: SessionRecord, usedAt: number, client: Client): Promise<void> {
    if (acting.actor === undefined) return
    try {
      const own = await this.live.find(acting.actor.sessionId)
      if (own !== undefined) await this.#touch(own, usedAt, client)
    } catch {
      // Told as a `storeError`. The next request tries again.
    }
  }

  /** Moves the deadline of the actor's own session along with that of the acting one, which is touched seldom enough. */
  async #touch(own: SessionRecord, usedAt: number, client: Client): Promise<void> {
    if (own.lastSeenAt >= usedAt) return
    try {
      await this.live.change(own, (current) => touched(current, usedAt, client, this.settings))
    } catch {
      // Told as a `storeError`, as with every touch. The next request tries again.
    }
  }
}
