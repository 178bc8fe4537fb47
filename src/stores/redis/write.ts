import { SessionError } from '../../errors.js'
import type { Command, Connection } from './client.js'

/** While a Cluster moves keys, its servers disagree for a moment: a key is looked for so many times. */
const MAX_MOVES = 10

/** How many replicas must have a change, and how many milliseconds they may take. */
export interface Wait {
  readonly replicas: number
  readonly timeout: number
}

/**
 * Returns how logins and logouts are sent: as they are, or each one together with a wait for replicas.
 *
 * @example await writer(redis, { replicas: 1, timeout: 500 })(key, ['del', key])
 */
export function writer(redis: Connection, wait: Wait | undefined) {
  if (wait === undefined) return (key: string, command: Command) => redis.send(key, command)
  const { replicas, timeout } = wait
  return async (key: string, command: Command): Promise<unknown> => {
    // WAIT counts the replicas for the writes of its own connection, so both are sent over one connection.
    const row = [command, ['wait', String(replicas), String(timeout)]]
    const [reply, acknowledged] = await sendRow(redis, key, row)
    if (Number(acknowledged) >= replicas) return reply
    throw new SessionError(
      'STORE_FAILED',
      `${String(acknowledged)} of ${replicas} replicas had the change after ${timeout} ms. It is not ` +
        'acknowledged, and may still take effect. See that the replicas are up and keep pace, or change the option wait.',
    )
  }
}

/**
 * Where a key has moved to another server, clients let the whole row fail. They do follow the key for a single
 * command, so one is sent before the next attempt.
 */
async function sendRow(redis: Connection, key: string, row: readonly Command[]): Promise<unknown[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await redis.sendInRow(key, row)
    } catch (error) {
      if (attempt > MAX_MOVES || !String(error).includes('MOVED ')) throw error
      await redis.send(key, ['exists', key])
    }
  }
}
