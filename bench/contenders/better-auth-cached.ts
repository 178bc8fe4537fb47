import type { Mount } from '../lib/server.js'
import { mountBetterAuth } from './better-auth.js'

/** Trusts a signed copy of the session in a second cookie: a revoked session works on until that expires. */
export const mount: Mount = (app, setup) =>
  mountBetterAuth(app, setup, { cookieCache: { enabled: true, maxAge: 3_600 } })
