import { group, integer, text, that } from '../../lib/options/option-kinds.js'
import { ofGroup, ofStore, readOptions } from '../../lib/options/options.js'
import type { RedisClient } from './client.js'

/** The options of `redisStore()`. All are optional; all are checked at start. */
export interface RedisStoreOptions {
  /**
   * What every key begins with: sessions are `sid:session:<id>`, indexes `sid:user:<user id>`. Without braces,
   * which Redis Cluster would read as a hash tag and keep all sessions on one server. Default `sid:`.
   */
  prefix?: string | undefined
  /**
   * Acknowledges a login, logout or revocation only when so many replicas have it too, and fails when they
   * have not after `timeout` milliseconds (https://redis.io/docs/latest/commands/wait/). Everything else on the
   * same connection waits as well, so `timeout` should be well below `storeTimeout`. Default: the primary alone
   * acknowledges.
   */
  wait?: { readonly replicas: number; readonly timeout: number } | undefined
  /**
   * Publishes the id of each session that ends on the channel `<prefix>ended`, so that `sessions.onEnd()` hears it at once
   * in every process. A process in which something is watched listens over one more connection: a duplicate of the
   * client, or the client that a function makes. Default false: nothing is published.
   */
  heardEverywhere?: boolean | (() => RedisClient) | undefined
}

const waitOptions = {
  replicas: { kind: integer(1), required: true, doc: 'how many replicas must have the change' },
  timeout: { kind: integer(1), required: true, doc: 'milliseconds to wait for them' },
} as const

const redisOptions = {
  prefix: {
    kind: text(
      (prefix) => /^[^{}]+$/.test(prefix),
      "a text without braces, at least one character, such as 'sid:'",
    ),
    default: 'sid:',
    doc: 'what every key begins with',
  },
  wait: {
    kind: group(ofGroup('redisStore: wait', '{ replicas: 1, timeout: 500 }'), waitOptions),
    doc: 'acknowledges a login or logout only when replicas have it too',
  },
  heardEverywhere: {
    kind: that(
      (value): value is boolean | (() => RedisClient) =>
        typeof value === 'boolean' || typeof value === 'function',
      'a boolean, or a function that makes a client',
    ),
    default: false,
    doc: 'tells all processes at once which sessions end',
  },
} as const

/**
 * The options of `redisStore`, checked.
 *
 * @throws SessionError OPTION_INVALID naming the option, with the fix.
 * @example const { prefix, wait } = checkedOptions({ prefix: 'shop:' })
 */
export function checkedOptions(options: RedisStoreOptions) {
  return readOptions(options, ofStore('redisStore'), redisOptions)
}
