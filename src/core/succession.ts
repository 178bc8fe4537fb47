import { isDeepStrictEqual } from 'node:util'
import type { SessionRecord } from '../record.js'
import type { Started } from './beginning.js'
import type { DeviceBinding } from './binding/device-binding.js'
import type { Client } from './client/client.js'
import type { Flights } from './ledger/flights.js'
import type { LoginGate } from './ledger/login-gate.js'
import { touched } from './lifetime.js'
import type { LiveRecords } from './records/live-records.js'
import type { ProviderSessions } from './marks/provider-sessions.js'
import type { Records } from './records/records.js'
import type { Settings } from './settings.js'
import { mint } from './token.js'

/** What differs in the new session, and whether its browser can be offered to bind it to its device. */
export interface SuccessionTerms {
  readonly changes?: Partial<SessionRecord> | undefined
  readonly takesOffer?: boolean | undefined
  /** Whether it goes before a login that is about to take the place of the old session. Default false. */
  readonly goesFirst?: boolean | undefined
}

/**
 * Gives a session a successor: a new id, a new secret, and the same user and data. The old secret is dead at once, which
 * a rotation could not do: it leaves the old one good for its grace.
 */
export class Succession {
  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly settings: Settings,
    private readonly binding: DeviceBinding | undefined,
    private readonly gate: LoginGate,
    private readonly flights: Flights,
    private readonly providerSessions: ProviderSessions,
  ) {}

  /**
   * Starts the successor, then ends the old session. Until then nothing has happened to the old one: where anything
   * fails, the successor is taken back.
   *
   * @returns `undefined` where the old session has ended.
   */
  succeed(
    old: SessionRecord & { readonly userId: string },
    client: Client,
    { changes, takesOffer = false, goesFirst }: SuccessionTerms,
  ): Promise<Started | undefined> {
    return this.flights.track(old.userId, async () => {
      // As it is now, so that nothing is taken over that has been changed since the request began.
      const found = await this.records.findFresh(old.id)
      const current = found && (await this.live.ifAlive(found))
      if (current === undefined) return undefined
      const started = this.#successorOf(current, client, changes, takesOffer)
      const pass = await this.gate.succeed(started.record, old.id, goesFirst)
      try {
        await this.records.insert(started.record)
        const { providerSession } = started.record
        if (providerSession !== undefined) await this.providerSessions.add(providerSession, started.record)
        const record = await this.#takeOver(current, started.record)
        if (record === undefined) throw new OldOneEnded()
        const isIn = pass === undefined || (await this.gate.confirm(pass))
        if (!isIn) throw new OldOneEnded()
        return { ...started, record }
      } catch (error) {
        await this.records.discard(started.record.id)
        if (pass !== undefined) await this.gate.leave(pass)
        if (error instanceof OldOneEnded) return undefined
        throw error
      }
    })
  }

  #successorOf(
    old: SessionRecord,
    client: Client,
    changes: Partial<SessionRecord> | undefined,
    takesOffer: boolean,
  ): Started {
    const { id, token, secretHash, seriesHash } = mint()
    const offer = takesOffer ? this.binding?.offer(id) : undefined
    const now = Date.now()
    // What a newer version of this package keeps comes along too.
    const record: SessionRecord = {
      ...touched(old, now, client, this.settings),
      id,
      version: 1,
      secretHash,
      seriesHash,
      rotatedAt: undefined,
      nextHash: undefined,
      priorHash: undefined,
      priorUntil: undefined,
      unusedRotations: undefined,
      binding: offer?.binding,
      // An acting session names the old one.
      acting: undefined,
      createdAt: now,
      ...changes,
    }
    return { record, token, offer: offer?.challenge }
  }

  /**
   * Ends the old session by compare-and-set. What others have written to it since it was read is a conflict here, and
   * comes along. A write that comes later finds that the session has ended.
   *
   * @returns the successor; `undefined` where the old session was ended by somebody else.
   */
  async #takeOver(old: SessionRecord, successor: SessionRecord): Promise<SessionRecord | undefined> {
    const last = await this.live.markEnded(old)
    if (last === undefined) return undefined
    void this.records.discard(old.id)
    const hasData = !isDeepStrictEqual(last.data, old.data)
    const hasUser = !isDeepStrictEqual(last.user, old.user)
    if (!hasData && !hasUser) return successor
    const changed = await this.live.change(successor, (current) => ({
      ...current,
      data: hasData ? last.data : current.data,
      // Where both have a new user, the change has reached the successor by itself.
      user: hasUser && isDeepStrictEqual(current.user, successor.user) ? last.user : current.user,
    }))
    return changed ?? successor
  }
}

/** Not a failure: there is nothing to succeed to. */
class OldOneEnded extends Error {}
