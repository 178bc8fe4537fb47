import { SessionError } from '../../errors.js'
import { isSessionId } from '../../lib/uuid.js'
import type { Connection, Primary } from './client.js'
import { text } from './encoding.js'

/** Some ids, and where the next ones begin. */
export interface ScannedIds {
  readonly ids: string[]
  readonly next: string | undefined
}

/**
 * Goes through the keys of all sessions with SCAN (https://redis.io/docs/latest/commands/scan/): it returns what is there
 * all the time, some of it twice. In a Cluster one primary after another. What moves from one to another in between
 * could be missed, so then it fails.
 */
export class SessionScan {
  /** The same, as the server has it. */
  readonly #prefix: string

  constructor(
    private readonly redis: Connection,
    /** What the key of each session begins with, as the store gives it to the client. */
    prefix: string,
  ) {
    this.#prefix = redis.keyPrefix + prefix
  }

  /** @param after what the page before returned as `next`: `<primary>.<cursor>.<state of the Cluster>`. */
  async page(limit: number, after?: string): Promise<ScannedIds> {
    const primaries = (await this.redis.primaries()).toSorted((a, b) => (a.address < b.address ? -1 : 1))
    const state = await this.#stateOf(primaries)
    const [at = '0', cursor = '0', before = state] = after?.split('.', 3) ?? []
    if (before !== state) throw hasMoved()
    const index = Number(at)
    const command = ['scan', cursor, 'match', `${escaped(this.#prefix)}*`, 'count', String(limit)]
    const [nextCursor, keys] = (await primaries[index]!.send(command)) as [unknown, unknown[]]
    const ids = keys.map((key) => text(key)!.slice(this.#prefix.length)).filter(isSessionId)
    return { ids, next: nextOf(index, text(nextCursor)!, primaries.length, state) }
  }

  /** The ids of all sessions. */
  async all(): Promise<Set<string>> {
    const found = new Set<string>()
    let after: string | undefined
    do {
      const { ids, next } = await this.page(1_000, after)
      for (const id of ids) found.add(id)
      after = next
    } while (after !== undefined)
    return found
  }

  /** What changes when primaries or their keys do: the epoch of the Cluster rises with each. */
  async #stateOf(primaries: readonly Primary[]): Promise<string> {
    if (!this.redis.isCluster) return 'one'
    const infos = await Promise.all(primaries.map((primary) => primary.send(['cluster', 'info'])))
    const epochs = infos.map((info) => Number(/cluster_current_epoch:(\d+)/.exec(String(info))?.[1] ?? 0))
    return `${primaries.length}-${Math.max(...epochs)}`
  }
}

function nextOf(index: number, cursor: string, count: number, state: string): string | undefined {
  if (cursor !== '0') return `${index}.${cursor}.${state}`
  return index + 1 < count ? `${index + 1}.0.${state}` : undefined
}

/** A prefix as MATCH takes it literally. */
function escaped(prefix: string): string {
  return prefix.replaceAll(/[\\*?[\]^]/g, String.raw`\$&`)
}

function hasMoved(): SessionError {
  return new SessionError(
    'STORE_FAILED',
    'The Redis Cluster has changed while its sessions were gone through, so some could be missed. Begin again when it ' +
      'is at rest.',
  )
}
