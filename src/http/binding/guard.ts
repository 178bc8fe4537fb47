import { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record.js'
import type { BindingConfig } from './options.js'

/** After the login a browser has so long to bind the session, where `unbound` is `'refuse'`. */
const TIME_TO_BIND_MS = 2 * 60_000

/**
 * Why a session that is not bound may not pass; `undefined` where it may.
 *
 * @param isRequired whether this route wants a bound session, whatever the option says.
 */
export function unboundRefusal(
  record: SessionRecord,
  config: BindingConfig | undefined,
  isRequired: boolean,
): SessionError | undefined {
  if (config === undefined) return isRequired ? isOff() : undefined
  if (record.binding?.state === 'bound') return undefined
  const isLate = Date.now() - record.createdAt >= TIME_TO_BIND_MS
  return isRequired || (config.unbound === 'refuse' && isLate) ? unbound() : undefined
}

function unbound(): SessionError {
  return new SessionError(
    'UNBOUND',
    'This needs a session that is bound to its device, and this one is not. ' +
      'Log in again, with a browser that supports Device Bound Session Credentials.',
  )
}

function isOff(): SessionError {
  return new SessionError(
    'OPTION_INVALID',
    'requireUser({ bound: true }) would let nobody in: say deviceBinding: true in createSessions() as well.',
  )
}
