import { idTime } from '../../lib/uuid.js'
import type { SessionRecord } from '../../record.js'
import type { Command, Connection } from './client.js'
import { keyPart, text, timeToLive } from './encoding.js'
import { LIST, PAGE } from './scripts.js'

/** In a Cluster a login writes its index, then its record. For so long an id may be listed without a record. */
const UNDER_WAY_MS = 3_600_000

/** While the server of an index is away, a client queues what it is sent. So many commands may wait there. */
const MAX_WAITING = 1_000

/** Some ids of a user, and where the next ones begin. */
export interface IdPage {
  readonly ids: string[]
  readonly next: string | undefined
}

/**
 * Which sessions a user has: for each user a sorted set of ids, by the deadline that never moves.
 *
 * In a Cluster it lies on another server than the sessions. What that server loses in a failover is listed again at
 * the next write of each session.
 */
export class UserIndex {
  #waiting = 0

  constructor(
    private readonly redis: Connection,
    private readonly prefix: string,
  ) {}

  keyOf(userId: string): string {
    return `${this.prefix}user:${keyPart(userId)}`
  }

  /** The command that lists a session. */
  listing(record: SessionRecord & { userId: string }): Command {
    return ['eval', LIST, '1', this.keyOf(record.userId), ...listed(record)]
  }

  /** Lists a session once more, in the background: the server of the index must not hold up a write. */
  listAgain({ userId, ...record }: SessionRecord): void {
    if (userId !== undefined) this.#send(userId, this.listing({ ...record, userId }))
  }

  /** In the background as well: an id without a record does no harm. */
  unlist(userId: string, ids: readonly string[]): void {
    if (ids.length > 0) this.#send(userId, ['zrem', this.keyOf(userId), ...ids])
  }

  /** Unlists the ids that have no record, but for those of a login that may be under way. */
  unlistDead(userId: string, ids: readonly string[], records: readonly unknown[]): void {
    const isSettled = (id: string) => idTime(id) < Date.now() - UNDER_WAY_MS
    this.unlist(
      userId,
      ids.filter((id, at) => records[at] === undefined && isSettled(id)),
    )
  }

  async all(userId: string): Promise<string[]> {
    const index = this.keyOf(userId)
    return ((await this.redis.send(index, ['zrange', index, '0', '-1'])) as unknown[]).map(String)
  }

  /** @param after what the page before returned as `next`: `<deadline>:<id>`. */
  async page(userId: string, limit: number, after = '-inf:'): Promise<IdPage> {
    const index = this.keyOf(userId)
    const [deadline = '', id = ''] = after.split(':', 2)
    const command = ['eval', PAGE, '1', index, deadline, id, String(limit)]
    const reply = ((await this.redis.send(index, command)) as unknown[]).map((part) => text(part)!)
    const ids = reply.filter((_, at) => at % 2 === 0)
    return { ids, next: ids.length < limit ? undefined : `${reply.at(-1)!}:${reply.at(-2)!}` }
  }

  #send(userId: string, command: Command): void {
    if (this.#waiting >= MAX_WAITING) return
    this.#waiting += 1
    const send = async () => this.redis.send(this.keyOf(userId), command)
    const settle = () => {
      this.#waiting -= 1
    }
    send().then(settle, settle)
  }
}

/** What the scripts need to know of a session to list it: until when it may live, at the longest. */
export function listed({ id, absoluteExpiresAt }: SessionRecord): [string, string] {
  return [id, timeToLive(absoluteExpiresAt)]
}
