import { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record.js'
import type { Started } from '../beginning.js'
import type { DeviceBinding } from '../binding/device-binding.js'
import type { Client } from '../client/client.js'
import type { Events } from '../events/events.js'
import type { Flights } from '../ledger/flights.js'
import { timesAtStart, touched } from '../lifetime.js'
import type { LiveRecords } from '../records/live-records.js'
import type { Records } from '../records/records.js'
import type { Settings } from '../settings.js'
import type { Succession } from '../succession.js'
import { mint } from '../token.js'
import { keepUser } from '../user/user.js'
import type { UserRecord } from '../user/user-sessions.js'
import { actingLifetime, actorOn, assertNotActing, isActedFrom } from './actor.js'

/** How an acting session begins and ends. */
export class Acting {
  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly events: Events,
    private readonly settings: Settings,
    private readonly succession: Succession,
    private readonly flights: Flights,
    private readonly binding: DeviceBinding | undefined,
  ) {}

  /**
   * Starts a session of `user` in which the user of `own` acts. It takes no seat among the sessions of `user`.
   *
   * @param actor the user of `own`, as `mayActAs` is asked about them.
   * @param takesOffer whether the browser can be offered to bind the session to its device. Otherwise a copy of its cookie
   * would open it, and by `stopActing()` the actor's own, however that is bound.
   * @returns `undefined` where the actor's own session has ended.
   * @throws SessionError ACTING in an acting session; ACT_AS_REFUSED where `mayActAs` does not say yes.
   */
  async begin(
    own: UserRecord,
    actor: unknown,
    user: unknown,
    client: Client,
    takesOffer = false,
  ): Promise<Started | undefined> {
    assertNotActing(own)
    const kept = keepUser(user, this.settings)
    if (kept.userId === own.userId || !(await this.#may(actor, user))) throw this.#refused(own, user, client)
    return this.flights.track(kept.userId, async () => {
      const { id, token, secretHash, seriesHash } = mint()
      const before = own.acting
      // Named first: an acting session that its actor's does not name is a dead one.
      const now = Date.now()
      const named = await this.live.change(own, (current) => ({
        ...touched(current, now, client, this.settings),
        acting: id,
      }))
      if (named === undefined) return undefined
      const lifetime = actingLifetime(named, now, this.settings.actingTimeout)
      const { userAgent, ip } = named
      const offer = takesOffer ? this.binding?.offer(id) : undefined
      const record: SessionRecord = {
        id,
        version: 1,
        secretHash,
        seriesHash,
        via: own.via,
        userId: kept.userId,
        userIdType: kept.userIdType,
        user: kept.user,
        authVersion: kept.authVersion,
        actor: actorOn(own),
        lifetime,
        data: {},
        binding: offer?.binding,
        userAgent,
        ip,
        ...timesAtStart(now, false, this.settings, lifetime),
      }
      await this.records.insert(record)
      if (before !== undefined) await this.records.discard(before)
      this.events.emit('actAs', { record, client })
      return { record, token, actor, offer: offer?.challenge }
    })
  }

  /**
   * Ends an acting session, and gives its actor a fresh session in the place of their own.
   *
   * @returns `undefined` where the actor's own session has ended.
   * @throws SessionError NOT_ACTING where nobody acts here.
   */
  async stop(acting: UserRecord, client: Client, takesOffer: boolean): Promise<Started | undefined> {
    if (acting.actor === undefined) throw notActing()
    const own = await this.records.findFresh(acting.actor.sessionId)
    if (own === undefined || !isActedFrom(own, acting)) return undefined
    const started = await this.succession.succeed(own as UserRecord, client, { takesOffer })
    if (started === undefined) return undefined
    // The actor's old session is gone, so this one is dead already.
    await this.records.discard(acting.id)
    this.events.emit('stopActing', { record: acting, client, resumed: started.record.id })
    return started
  }

  async #may(actor: unknown, user: unknown): Promise<boolean> {
    const { mayActAs } = this.settings
    if (mayActAs === undefined) return false
    // A promise counts as what it resolves to, and only true is a yes.
    return (await mayActAs(actor, user)) === true
  }

  #refused(own: UserRecord, user: unknown, client: Client): SessionError {
    const { userId } = keepUser(user, this.settings)
    this.events.emit('actAsRefused', { record: own, client, refusedUserId: userId })
    const isOwn = userId === own.userId
    const why =
      this.settings.mayActAs === undefined
        ? 'Nobody may, unless the option mayActAs: (actor, user) => boolean says so.'
        : isOwn
          ? 'They are this user already.'
          : 'mayActAs has not returned true.'
    return new SessionError('ACT_AS_REFUSED', `This user may not act as that one. ${why}`)
  }
}

function notActing(): SessionError {
  return new SessionError(
    'NOT_ACTING',
    'In this session nobody acts as somebody else, so there is nothing to stop.',
  )
}
