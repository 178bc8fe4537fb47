import type { IncomingMessage } from 'node:http'
import { isToken, splitToken } from '../../core/token.js'
import { debug } from '../../lib/debug.js'
import type { SessionState } from './session-state.js'
import { pairsOf } from './why.js'

/** Prints who a request was found to be from. A token is shown by the public id in it. */
export function debugRequest(req: IncomingMessage, state: SessionState): void {
  const { reason, record, cookie } = state
  const pairs = pairsOf(req.headers.cookie)
  const tokens = pairs.filter(({ value }) => isToken(value))
  const sent = tokens.map(({ name, value }) => `${name} of session ${isToken(value) && splitToken(value).id}`)
  const user = reason ?? `user ${JSON.stringify(record?.userId)}`
  const who = record === undefined ? user : `${user}, session ${record.id}`
  const cookies = sent.length === 0 ? 'no token' : sent.join(', ')
  debug(`${req.method} ${shownPath(req.url)}: ${who} (reads the cookie ${cookie.name}; sent: ${cookies})`)
}

/** A query, and a long part of a path, may be a secret of the application: a link that logs in, for example. */
function shownPath(url = ''): string {
  const [path = ''] = url.split('?')
  return path.replaceAll(/[^/]{21,}/g, '…')
}
