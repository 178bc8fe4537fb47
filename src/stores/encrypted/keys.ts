import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { invalid } from '../../lib/options/invalid.js'

/** A key: 32 random bytes, or their text in base64url, base64 or hex. */
export type EncryptionKey = string | Uint8Array

const KEY_BYTES = 32
/** Each user is looked for under every key, so a long ring is slow. Nobody needs more than a few. */
const MAX_KEYS = 16

const howTo =
  `A key is 32 random bytes, or their text in base64url, base64 or hex. Make one with: ` +
  `node -p "require('crypto').randomBytes(32).toString('base64url')"`

/** One key of the ring. Nothing is encrypted with the given key itself: each purpose has a key derived from it. */
export class RingKey {
  /** Names the key in records and messages. It tells nothing of the key. */
  readonly id: string
  readonly #records: KeyObject
  readonly #users: KeyObject

  constructor(bytes: Uint8Array) {
    this.id = Buffer.from(derived(bytes, 'key id').subarray(0, 6)).toString('base64url')
    this.#records = createSecretKey(derived(bytes, 'records'))
    this.#users = createSecretKey(derived(bytes, 'users'))
  }

  /**
   * The key of one session. Random nonces are safe for 2^32 writes with a key (NIST SP 800-38D §8.3), which a big site
   * has in some months. One session never has.
   */
  ofSession(id: string): Buffer {
    return createHmac('sha256', this.#records).update(id).digest()
  }

  /** What stands for a user's id in the store: the same for each session of the user, and nothing without the key. */
  ofUser(userId: string): string {
    // As JSON, since lone surrogates are all alike in UTF-8.
    const hash = createHmac('sha256', this.#users).update(JSON.stringify(userId)).digest('base64url')
    return `${this.id}.${hash}`
  }
}

/** The keys in force: the first encrypts, all decrypt. */
export class KeyRing {
  readonly #byId: ReadonlyMap<string, RingKey>

  constructor(readonly keys: readonly [RingKey, ...RingKey[]]) {
    this.#byId = new Map(keys.map((key) => [key.id, key]))
  }

  get first(): RingKey {
    return this.keys[0]
  }

  /** The key with this id. */
  find(id: string): RingKey | undefined {
    return this.#byId.get(id)
  }

  /** The ids of all keys, for messages. */
  get ids(): string {
    return this.keys.map(({ id }) => id).join(', ')
  }
}

/**
 * The ring of the keys that were given.
 *
 * @throws SessionError OPTION_INVALID for anything that is no list of different keys, with the way to make one.
 * @example readKeys([process.env.SESSION_KEY])
 */
export function readKeys(given: unknown): KeyRing {
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_KEYS) {
    throw invalid(`encrypted: the option "keys" must be an array of 1 to ${MAX_KEYS} keys. ${howTo}`)
  }
  const all = (given as unknown[]).map((key, at) => bytesOf(key, at))
  const texts = new Set(all.map((bytes) => bytes.toString('hex')))
  if (texts.size < all.length)
    throw invalid('encrypted: the option "keys" has one key twice. Give each once.')
  const [first, ...rest] = all.map((bytes) => new RingKey(bytes))
  return new KeyRing([first!, ...rest])
}

function bytesOf(given: unknown, at: number): Buffer {
  const bytes = given instanceof Uint8Array ? Buffer.from(given) : fromText(given)
  if (bytes?.length === KEY_BYTES && new Set(bytes).size > 4) return bytes
  // Never what was given: it may be a key with a slip.
  throw invalid(
    `encrypted: the option "keys" has no usable key at place ${at}: ${whatIsWrong(given, bytes)}. ${howTo}`,
  )
}

function fromText(given: unknown): Buffer | undefined {
  if (typeof given !== 'string') return undefined
  if (/^[0-9a-f]{64}$/i.test(given)) return Buffer.from(given, 'hex')
  return /^[\w+/-]+={0,2}$/.test(given) ? Buffer.from(given, 'base64') : undefined
}

function whatIsWrong(given: unknown, bytes: Buffer | undefined): string {
  if (given === undefined) return 'it is undefined, as of an environment variable that is not set'
  if (bytes === undefined)
    return typeof given === 'string' ? 'it is neither base64 nor hex' : `it is a ${typeof given}`
  return bytes.length === KEY_BYTES ? 'its bytes are not random' : `it has ${bytes.length} bytes`
}

function derived(key: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `express-sid encrypted ${purpose}`, KEY_BYTES))
}
