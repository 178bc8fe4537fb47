import type { SessionStore } from '../../store.js'

/**
 * Promises of the contract that some stores can't keep, for `ContractOptions.without`:
 *
 * - `listByUser`: there is no index by user.
 * - `concurrency`: writes of one record at the same moment exclude each other. A store over an interface
 *   that can neither compare-and-set nor lock can't promise that.
 * - `anyId`: asking for an id that was never given out, of any length and any characters, answers *not
 *   found*. A store that makes file names of ids may have to throw.
 */
export type ContractPromise = 'listByUser' | 'concurrency' | 'anyId'

/** One rule of the contract, tried on an open store. */
export interface StoreCase {
  readonly name: string
  /** The promises without which the rule can't hold. */
  readonly needs?: readonly ContractPromise[]
  readonly run: (store: SessionStore) => Promise<void>
}
