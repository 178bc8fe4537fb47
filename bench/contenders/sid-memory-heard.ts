import type { Mount } from '../lib/server.js'
import { mountSid } from './sid.js'

/** An app that keeps an audit log: it listens to all that happens. */
export const mount: Mount = async (app, { build }) => {
  const sessions = await mountSid(app, build)
  let heard = 0
  for (const name of ['login', 'logout', 'expire', 'revoke', 'rotate', 'reuse', 'storeError'] as const) {
    sessions.on(name, () => void (heard += 1))
  }
}
