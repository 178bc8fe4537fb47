import type { ServerResponse } from 'node:http'
import onHeaders from 'on-headers'
import { forbidCaching } from '../cookie/carry.js'

// Not a field of each state: nearly all requests begin no session.
const issued = new WeakMap<object, string>()

/** Keeps the token of a session that a request has begun, for the body of its response, which no cache may keep. */
export function issueBearer(state: object, res: ServerResponse, token: string): void {
  issued.set(state, token)
  forbidCaching(res)
  onHeaders(res, function keepFromCaches(this: ServerResponse) {
    forbidCaching(this)
  })
}

/** The token of the session that a request has begun; `undefined` where there is none, or it has ended again. */
export function issuedBearer(state: object): string | undefined {
  return issued.get(state)
}

/** Forgets the token: its session has ended. */
export function withdrawBearer(state: object): void {
  issued.delete(state)
}
