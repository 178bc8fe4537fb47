import { mount as mountBetterAuth } from './better-auth.js'

/** Trusts a signed copy of the session in a second cookie: a revoked session works on until that expires. */
export function mount(app, names) {
  return mountBetterAuth(app, names, { cookieCache: { enabled: true, maxAge: 3_600 } })
}
