import { isSessionError } from '../errors.js'
import { inBatches } from '../lib/async/batches.js'
import type { SessionRecord } from '../record.js'
import { isActedFrom } from './acting/actor.js'
import type { Client } from './client/client.js'
import type { Events } from './events/events.js'
import type { EventCause } from './events/types.js'
import type { LiveRecords } from './records/live-records.js'
import type { Records } from './records/records.js'

/** Why a session is ended, and who has asked for it, as its event says. */
export interface End {
  readonly cause: EventCause
  /** The client of the request; absent where there is none. */
  readonly client?: Client | undefined
}

/** How sessions end: from within, by the browser that holds them, and from outside. */
export class Ending {
  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly events: Events,
  ) {}

  /** Ends sessions from within; true when one was there. */
  async end(held: readonly SessionRecord[], { cause, client }: End): Promise<boolean> {
    const replaced = cause === 'login'
    const ends = await Promise.all(
      held.map(async (record) => {
        // The browser of an acting session holds the actor's own session through it. That one comes first: where it can't be
        // ended, the acting one is there, and the call can be made again.
        if (record.actor !== undefined && cause !== 'undelivered')
          await this.#endOwn(record, { cause, client })
        const wasThere = await this.records.delete(record.id)
        if (wasThere) this.events.emit('logout', { record, client, cause, replaced })
        await this.endActing(record, client)
        return wasThere
      }),
    )
    return ends.includes(true)
  }

  /** Ends one session from outside it; true when it was there. A damaged record must not protect itself from that. */
  async revoke(sessionId: string, end: End): Promise<boolean> {
    const record = await this.#findEvenDamaged(sessionId)
    if (record === undefined) return this.records.delete(sessionId)
    return (await this.live.ifAlive(record)) !== undefined && this.revokeFound(record, end)
  }

  /** Ends all sessions that are listed, but for one, from outside them; returns how many there were. */
  async revokeAll(
    pages: AsyncIterable<readonly SessionRecord[]>,
    except: string | undefined,
    end: End,
  ): Promise<number> {
    const endOne = async (one: SessionRecord) =>
      one.id !== except && (await this.live.ifAlive(one)) !== undefined && this.revokeFound(one, end)
    // All are tried before a failure is reported: after a theft, each session ended counts.
    const ends = await inBatches(pages, endOne)
    return ends.filter(Boolean).length
  }

  /** Ends one session that was just found. */
  async revokeFound(record: SessionRecord, { cause, client }: End): Promise<boolean> {
    const wasThere = await this.records.delete(record.id)
    if (wasThere) this.events.emit('revoke', { record, client, cause })
    await this.endActing(record, client)
    return wasThere
  }

  /** Removes the acting session of one that has ended. It is dead already, so a failure is harmless. */
  async endActing(own: SessionRecord, client: Client | undefined): Promise<void> {
    if (own.acting === undefined) return
    try {
      const acting = await this.records.find(own.acting)
      if (acting === undefined || !isActedFrom(own, acting)) return
      const wasThere = await this.records.delete(acting.id)
      if (wasThere) this.events.emit('revoke', { record: acting, client, cause: 'actorEnded' })
    } catch {
      // Whoever looks at it next removes it.
    }
  }

  async #endOwn(acting: SessionRecord, end: End): Promise<void> {
    const own = await this.records.find(acting.actor!.sessionId)
    if (own !== undefined && isActedFrom(own, acting)) await this.end([{ ...own, acting: undefined }], end)
  }

  async #findEvenDamaged(id: string): Promise<SessionRecord | undefined> {
    try {
      return await this.records.find(id)
    } catch (error) {
      if (isSessionError(error) && error.code === 'RECORD_DAMAGED') return undefined
      throw error
    }
  }
}
