import { channel } from 'node:diagnostics_channel'
import type { Sessions } from '../../core/sessions.js'
import { isSessionError } from '../../errors.js'

/** The name of the diagnostics channel that is told of each request that was refused, or has failed. */
export const REFUSED = 'express-sid:refused'

/** What the channel is told: whose request, and the code of the error. Nothing of the request itself. */
export interface RefusedMessage {
  readonly sessions: Sessions | undefined
  readonly code: string
}

const refused = channel(REFUSED)

/** Tells whoever listens. */
export function tellRefused(sessions: Sessions | undefined, error: unknown): void {
  if (!refused.hasSubscribers) return
  const code = isSessionError(error) ? error.code : 'unknown'
  refused.publish({ sessions, code } satisfies RefusedMessage)
}
