import { keptAddress, sameNetwork, type AddressPolicy } from './address.js'
import { engineOf } from './user-agent.js'

/** Who made a request, as far as the request tells. Both values are cleaned; `''` means unknown. */
export interface Client {
  readonly userAgent: string
  readonly ip: string
}

/** What differs between two clients: the browser's engine, else its user agent; the network of its address. */
export type ClientChange = 'engine' | 'userAgent' | 'network'

/**
 * How the client of a request differs from the one on record. Equal strings end the check. Another engine is
 * another browser: user agents change with updates and "desktop site", engines do not (short of the device
 * emulation in developer tools).
 */
export function compareClients(recorded: Client, seen: Client): readonly ClientChange[] {
  if (recorded === seen || (recorded.userAgent === seen.userAgent && recorded.ip === seen.ip)) return none
  const changes: ClientChange[] = []
  if (recorded.userAgent !== seen.userAgent) {
    changes.push(isOtherEngine(recorded, seen) ? 'engine' : 'userAgent')
  }
  if (isOtherNetwork(recorded, seen)) changes.push('network')
  return changes
}

const none: readonly ClientChange[] = []

/** Who has hung up before anybody asked has no address. That is not the network on record, or it would pass for any. */
function isOtherNetwork(recorded: Client, seen: Client): boolean {
  const hasNone = seen.ip === '' && recorded.ip !== ''
  return hasNone || !sameNetwork(recorded.ip, seen.ip)
}

function isOtherEngine(recorded: Client, seen: Client): boolean {
  const [before, now] = [engineOf(recorded.userAgent), engineOf(seen.userAgent)]
  return before !== undefined && now !== undefined && before !== now
}

/**
 * The client to remember after this use. What is known is not forgotten for what is not, neither an engine nor an
 * address: else whoever holds a stolen cookie could pass as unknown first, and then as anybody.
 *
 * @param addresses how much of the address is kept. Default: the whole.
 */
export function rememberedClient(recorded: Client, seen: Client, addresses?: AddressPolicy): Client {
  const forgets = recorded.userAgent !== seen.userAgent && engineOf(seen.userAgent) === undefined
  const userAgent =
    forgets && engineOf(recorded.userAgent) !== undefined ? recorded.userAgent : seen.userAgent
  return { userAgent, ip: keptAddress(seen.ip === '' ? recorded.ip : seen.ip, addresses) }
}
