import type { SessionInfo } from '../index.js'

/** One session of the user, as `deviceRoutes()` shows it: to scripts as JSON, and on its page. Times are epoch milliseconds. */
export interface Device {
  /** The session's id. To hold it grants nothing: it ends the session only in a request of its own user. */
  readonly id: string
  /** "Chrome on macOS". */
  readonly label: string
  /** The address that the session was last used from, as far as it is recorded. `''`: unknown. */
  readonly network: string
  /** Where the login came from (`describeAddress`). `''`: unknown. */
  readonly place: string
  /** When the session began. */
  readonly createdAt: number
  /** When the user last proved who they are. */
  readonly authenticatedAt: number
  /** When the session was last used, up to `touchInterval` late. */
  readonly lastSeenAt: number
  /** When the session ends if it is not used again. */
  readonly expiresAt: number
  /** How the user proved who they are, such as `['password']`, where the login said it (`method`). */
  readonly methods: readonly string[]
  /** Where the session's token travels: in a browser's cookie, or in the `Authorization` of an app or a command line. */
  readonly via: 'cookie' | 'bearer'
  /** Whether somebody else acts as the user in it (`actAs`), such as support. */
  readonly isActing: boolean
  /** Who that is: the id of their user, and nothing else of them. `null`: nobody. */
  readonly actor: { readonly userId: string | number } | null
  /** Whether a copy of the session's cookie opens nothing (`deviceBinding`). */
  readonly isBound: boolean
  /** Whether it is the session that asks. */
  readonly current: boolean
}

/** What is shown of a session: neither the user, nor the whole `User-Agent`, nor any of the application's data. */
export function deviceOf(info: SessionInfo): Device {
  return {
    id: info.id,
    label: info.label,
    network: info.ip,
    place: info.place ?? '',
    createdAt: info.createdAt,
    authenticatedAt: info.authenticatedAt,
    lastSeenAt: info.lastSeenAt,
    expiresAt: info.expiresAt,
    methods: info.methods.map(({ method }) => method),
    via: info.via,
    isActing: info.actor !== undefined,
    actor: info.actor === undefined ? null : { userId: info.actor.userId },
    isBound: info.isBound,
    current: info.current,
  }
}
